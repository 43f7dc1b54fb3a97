#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "commands/fake_cluster.h"
#include "orrery/commands/blocked_call.h"

// Blocking commands from the entry node to the slots' coordinators, with virtual time.

namespace orrery::commands {
namespace {

using replication::Outcome;
using Reply = std::optional<std::string>;

constexpr std::string_view kNothing = "*-1\r\n";

std::string Popped(std::string_view key, std::string_view member, std::string_view score) {
  std::string reply = "*3\r\n";
  for (const std::string_view part : {key, member, score}) {
    reply += "$" + std::to_string(part.size()) + "\r\n" + std::string(part) + "\r\n";
  }
  return reply;
}

TEST(Blocking, TakesAtOnceWhatIsThere) {
  FakeCluster cluster;
  cluster.Run({"ZADD", "z", "2", "b", "1", "a"});
  EXPECT_EQ(cluster.Run({"BZPOPMIN", "z", "0"}), Popped("z", "a", "1"));
  EXPECT_EQ(cluster.Run({"BZPOPMAX", "z", "0"}), Popped("z", "b", "2"));
}

std::string Array(const std::vector<std::string>& parts) {
  std::string reply = "*" + std::to_string(parts.size()) + "\r\n";
  for (const std::string& part : parts) reply += "$" + std::to_string(part.size()) + "\r\n" + part + "\r\n";
  return reply;
}

TEST(Blocking, ListsServeWhoeverWaits) {
  FakeCluster cluster;
  std::vector<Reply> replies(5);
  cluster.Start({"BLPOP", "l", "0"}, &replies[0]);
  cluster.Settle();
  cluster.Start({"BRPOP", "l", "0"}, &replies[1]);
  cluster.Settle();
  cluster.Start({"BLMPOP", "0", "1", "l", "RIGHT", "COUNT", "2"}, &replies[2]);
  cluster.Settle();
  cluster.Start({"BLMOVE", "l", "l", "LEFT", "RIGHT", "0"}, &replies[3]);
  cluster.Settle();
  cluster.Start({"BRPOPLPUSH", "l", "l", "0"}, &replies[4]);
  cluster.Settle();
  EXPECT_EQ(cluster.Run({"RPUSH", "l", "a", "b", "c", "d", "e", "f"}), ":6\r\n");
  EXPECT_EQ(replies[0], Array({"l", "a"}));
  EXPECT_EQ(replies[1], Array({"l", "f"}));
  EXPECT_EQ(replies[2], "*2\r\n$1\r\nl\r\n" + Array({"e", "d"}));
  EXPECT_EQ(replies[3], "$1\r\nb\r\n");
  EXPECT_EQ(replies[4], "$1\r\nb\r\n");
  EXPECT_EQ(cluster.Run({"LRANGE", "l", "0", "-1"}), Array({"b", "c"}));
}

// Whatever makes a list under the key, not pushes alone.
TEST(Blocking, AnyCommandThatMakesTheListServes) {
  for (const std::vector<std::string_view>& maker : {std::vector<std::string_view>{"RENAME", "other", "l"},
                                                     {"COPY", "other", "l"},
                                                     {"SORT", "other", "ALPHA", "STORE", "l"},
                                                     {"LMOVE", "other", "l", "LEFT", "LEFT"},
                                                     {"BLMOVE", "other", "l", "LEFT", "LEFT", "0"}}) {
    SCOPED_TRACE(maker.front());
    FakeCluster cluster;
    cluster.Run({"RPUSH", "other", "x"});
    Reply reply;
    cluster.Start({"BLPOP", "l", "0"}, &reply);
    cluster.Settle();
    cluster.Run(maker);
    EXPECT_EQ(reply, Array({"l", "x"}));
  }
}

TEST(Blocking, MovesBetweenSlots) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    FakeCluster cluster(seed);
    const auto keys = KeysOfDistinctSlots("l", 2);
    Reply reply;
    cluster.Start({"BLMOVE", keys[0], keys[1], "RIGHT", "LEFT", "0"}, &reply);
    cluster.Settle();
    EXPECT_FALSE(reply);
    cluster.Run({"RPUSH", keys[0], "a", "b"});
    EXPECT_EQ(reply, "$1\r\nb\r\n");
    EXPECT_EQ(cluster.Run({"LRANGE", keys[0], "0", "-1"}), Array({"a"}));
    EXPECT_EQ(cluster.Run({"LRANGE", keys[1], "0", "-1"}), Array({"b"}));
  }
}

// What a move takes over to another slot, the next who waits does not get as well.
TEST(Blocking, AMoveBetweenSlotsKeepsItsTurn) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    FakeCluster cluster(seed);
    const auto keys = KeysOfDistinctSlots("l", 2);
    std::vector<Reply> replies(3);
    cluster.Start({"BLMOVE", keys[0], keys[1], "LEFT", "RIGHT", "0"}, &replies[0]);
    cluster.Settle();
    cluster.Start({"BLPOP", keys[0], "0"}, &replies[1]);
    cluster.Settle();
    cluster.Start({"BLMOVE", keys[0], keys[1], "LEFT", "RIGHT", "0"}, &replies[2]);
    cluster.Settle();
    cluster.Run({"RPUSH", keys[0], "a"});
    EXPECT_EQ(replies[0], "$1\r\na\r\n");
    EXPECT_FALSE(replies[1]);
    cluster.Run({"RPUSH", keys[0], "b", "c"});
    EXPECT_EQ(replies[1], Array({keys[0], "b"}));
    EXPECT_EQ(replies[2], "$1\r\nc\r\n");
    EXPECT_EQ(cluster.Run({"LRANGE", keys[1], "0", "-1"}), Array({"a", "c"}));
    EXPECT_EQ(cluster.Run({"LLEN", keys[0]}), ":0\r\n");
  }
}

TEST(Blocking, AMoveToWhatIsNoListLeavesTheElement) {
  for (const size_t slots : {1, 2}) {
    FakeCluster cluster;
    const auto keys = slots == 1 ? std::vector<std::string>{"{l}1", "{l}2"} : KeysOfDistinctSlots("l", 2);
    Reply moved;
    Reply behind;
    cluster.Start({"BLMOVE", keys[0], keys[1], "LEFT", "LEFT", "0"}, &moved);
    cluster.Settle();
    cluster.Start({"BLPOP", keys[0], "0"}, &behind);
    cluster.Settle();
    cluster.Run({"SET", keys[1], "string"});
    cluster.Run({"RPUSH", keys[0], "a"});
    ASSERT_TRUE(moved);
    EXPECT_TRUE(moved->starts_with("-WRONGTYPE")) << *moved;
    EXPECT_EQ(behind, Array({keys[0], "a"}));
  }
}

TEST(Blocking, AKeyOfAnotherTypeServesNobodyWhoWaitsForAList) {
  FakeCluster cluster;
  Reply list;
  Reply zset;
  cluster.Start({"BLPOP", "k", "0"}, &list);
  cluster.Settle();
  cluster.Start({"BZPOPMIN", "k", "0"}, &zset);
  cluster.Settle();
  cluster.Run({"HSET", "k", "f", "v"});
  EXPECT_FALSE(list);
  EXPECT_FALSE(zset);
  cluster.Run({"DEL", "k"});
  // The first who waits for the key does not want a sorted set, and those behind it have their turn when it
  // goes.
  cluster.Run({"RPUSH", "k", "a"});
  EXPECT_EQ(list, Array({"k", "a"}));
  cluster.Run({"ZADD", "k", "1", "m"});
  EXPECT_EQ(zset, Popped("k", "m", "1"));
}

TEST(Blocking, EndsWithItsTime) {
  FakeCluster cluster;
  Reply reply;
  cluster.Start({"BZPOPMIN", "z", "1.5"}, &reply);
  cluster.Advance(1'499);
  EXPECT_FALSE(reply);
  cluster.Advance(1);
  EXPECT_EQ(reply, kNothing);
  // Nothing of it is left behind.
  EXPECT_EQ(cluster.Run({"ZADD", "z", "1", "a"}), ":1\r\n");
  EXPECT_EQ(cluster.Run({"ZCARD", "z"}), ":1\r\n");
}

TEST(Blocking, IsServedByWhoeverAdds) {
  FakeCluster cluster;
  Reply reply;
  cluster.Start({"BZPOPMIN", "z", "0"}, &reply);
  cluster.Settle();
  EXPECT_FALSE(reply);
  EXPECT_EQ(cluster.Run({"ZADD", "z", "1", "a", "2", "b"}), ":2\r\n");
  EXPECT_EQ(reply, Popped("z", "a", "1"));
  EXPECT_EQ(cluster.Run({"ZCARD", "z"}), ":1\r\n");
}

TEST(Blocking, WaitsForKeysOfSeveralSlots) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    FakeCluster cluster(seed);
    const auto keys = KeysOfDistinctSlots("z", 3);
    Reply reply;
    cluster.Start({"BZMPOP", "0", "3", keys[0], keys[1], keys[2], "MIN", "COUNT", "5"}, &reply);
    cluster.Settle();
    EXPECT_FALSE(reply);
    cluster.Run({"ZADD", keys[1], "1", "a"});
    ASSERT_TRUE(reply);
    EXPECT_NE(reply->find("\r\na\r\n"), std::string::npos) << *reply;
    // It does not wait for the others any more.
    for (const std::string& key : keys) {
      cluster.Run({"ZADD", key, "1", "later"});
      EXPECT_EQ(cluster.Run({"ZCARD", key}), ":1\r\n");
    }
  }
}

TEST(Blocking, FirstKeyOfTheCommandWinsAmongThoseThatHaveSomething) {
  FakeCluster cluster;
  const auto keys = KeysOfDistinctSlots("z", 3);
  cluster.Run({"ZADD", keys[2], "1", "c"});
  cluster.Run({"ZADD", keys[1], "1", "b"});
  EXPECT_EQ(cluster.Run({"BZPOPMIN", keys[0], keys[1], keys[2], "0"}), Popped(keys[1], "b", "1"));
}

TEST(Blocking, FirstComeFirstServed) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    FakeCluster cluster(seed);
    std::vector<Reply> replies(8);
    for (Reply& reply : replies) {
      cluster.Start({"BZPOPMIN", "z", "0"}, &reply);
      if (seed % 2 == 0) cluster.Settle();
    }
    cluster.Settle();
    for (size_t i = 0; i < replies.size(); ++i) {
      cluster.Run({"ZADD", "z", std::to_string(i), std::to_string(i)});
      for (size_t k = 0; k < replies.size(); ++k) EXPECT_EQ(replies[k].has_value(), k <= i) << k;
      EXPECT_EQ(replies[i], Popped("z", std::to_string(i), std::to_string(i)));
    }
  }
}

TEST(Blocking, ManyAtOnceAreServedInTheirOrder) {
  FakeCluster cluster;
  std::vector<Reply> replies(4);
  for (Reply& reply : replies) {
    cluster.Start({"BZPOPMIN", "z", "0"}, &reply);
    cluster.Settle();
  }
  cluster.Run({"ZADD", "z", "0", "0", "1", "1", "2", "2"});
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(replies[i], Popped("z", std::to_string(i), std::to_string(i)));
  EXPECT_FALSE(replies[3]);
}

TEST(Blocking, ALateComerDoesNotTakeWhatIsKeptForTheFirst) {
  FakeCluster cluster;
  Reply first;
  cluster.Start({"BZPOPMIN", "z", "0"}, &first);
  cluster.Settle();
  // The first one is called, and before it comes another one asks.
  Reply second;
  cluster.on_run = [&](const replication::Request& request) {
    if (request.args[0] == "ZADD") cluster.Start({"BZPOPMIN", "z", "0"}, &second);
  };
  cluster.Run({"ZADD", "z", "1", "a"});
  EXPECT_EQ(first, Popped("z", "a", "1"));
  EXPECT_FALSE(second);
}

TEST(Blocking, PlaceOutlivesACoordinator) {
  FakeCluster cluster;
  Reply first;
  Reply second;
  cluster.Start({"BZPOPMIN", "z", "0"}, &first);
  cluster.Settle();
  cluster.Advance(1);
  cluster.Start({"BZPOPMIN", "z", "0"}, &second);
  cluster.Settle();
  cluster.SendParkedAway(SlotOf("z"));
  cluster.Settle();
  cluster.Run({"ZADD", "z", "1", "a"});
  EXPECT_EQ(first, Popped("z", "a", "1"));
  EXPECT_FALSE(second);
}

TEST(Blocking, AsksAgainWhenItsCoordinatorForgotIt) {
  FakeCluster cluster;
  Reply reply;
  cluster.Start({"BZPOPMIN", "z", "0"}, &reply);
  cluster.Settle();
  // The request is lost, and its entry node hears of it, as the router does when a link breaks.
  cluster.Fail(SlotOf("z"), replication::Response{Outcome::kClusterDown, ""});
  cluster.SendParkedAway(SlotOf("z"));
  cluster.Advance(1'000);
  EXPECT_FALSE(reply);
  cluster.Fail(SlotOf("z"), std::nullopt);
  cluster.Run({"ZADD", "z", "1", "a"});
  cluster.Advance(1'000);
  EXPECT_EQ(reply, Popped("z", "a", "1"));
}

TEST(Blocking, WhoNeverComesKeepsAKeyNotForLong) {
  FakeCluster cluster;
  Reply lost;
  Reply behind;
  cluster.Start({"BZPOPMIN", "z", "0"}, &lost);
  cluster.Settle();
  cluster.Start({"BZPOPMIN", "z", "0"}, &behind);
  cluster.Settle();
  // Its place is called, but whoever waited there is gone with its node.
  replication::Request ghost;
  ghost.slot = SlotOf("z");
  ghost.place = std::string(24, '\0');
  for (const std::string_view word : {"orrery.ready", "zset", "z"}) ghost.args.Append(word);
  ghost.traits = {.reads = true, .writes = false, .blind = false, .idempotent = true, .parks = true};
  ghost.timeout_ms = 60'000;
  cluster.Submit(ghost, [](const replication::Response&) {});
  cluster.Settle();
  cluster.Run({"ZADD", "z", "1", "a"});
  EXPECT_FALSE(lost);
  cluster.Advance(replication::ParkedRequests::kPatienceUs / 1000 + 1);
  EXPECT_EQ(lost, Popped("z", "a", "1"));
  EXPECT_FALSE(behind);
}

TEST(Blocking, KeyOfAnotherTypeIsNothingToWhoWaits) {
  FakeCluster cluster;
  Reply reply;
  cluster.Start({"BZPOPMIN", "z", "0"}, &reply);
  cluster.Settle();
  cluster.Run({"SET", "z", "string"});
  EXPECT_FALSE(reply);
  EXPECT_TRUE(cluster.Run({"BZPOPMIN", "z", "0"}).starts_with("-WRONGTYPE"));
  cluster.Run({"DEL", "z"});
  cluster.Run({"ZADD", "z", "1", "a"});
  EXPECT_EQ(reply, Popped("z", "a", "1"));
}

TEST(Blocking, ErrorBeforeItWaitsIsTheReply) {
  FakeCluster cluster;
  cluster.Fail(SlotOf("z"), replication::Response{Outcome::kNoReplicas, ""});
  EXPECT_TRUE(cluster.Run({"BZPOPMIN", "z", "0"}).starts_with("-NOREPLICAS"));
}

TEST(Blocking, ErrorWhileItWaitsIsWaitedOut) {
  FakeCluster cluster;
  Reply reply;
  cluster.Start({"BZPOPMIN", "z", "0"}, &reply);
  cluster.Settle();
  bool failed = false;
  cluster.on_run = [&](const replication::Request& request) {
    if (request.args[0] != "BZPOPMIN" || failed) return;
    failed = true;
    cluster.Fail(request.slot, replication::Response{Outcome::kNoReplicas, ""});
  };
  cluster.Run({"ZADD", "z", "1", "a"});
  EXPECT_TRUE(failed);
  EXPECT_FALSE(reply);
  cluster.Fail(SlotOf("z"), std::nullopt);
  cluster.Advance(1'000);
  EXPECT_EQ(reply, Popped("z", "a", "1"));
}

TEST(Blocking, UnknownOutcomeIsTheReply) {
  FakeCluster cluster;
  Reply reply;
  cluster.Start({"BZPOPMIN", "z", "0"}, &reply);
  cluster.Settle();
  cluster.on_run = [&](const replication::Request& request) {
    if (request.args[0] == "BZPOPMIN")
      cluster.Fail(request.slot, replication::Response{Outcome::kUnknown, ""});
  };
  cluster.Run({"ZADD", "z", "1", "a"});
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->starts_with("-UNKNOWN"));
}

TEST(Blocking, CanBeUnblocked) {
  for (const auto& [end, expected] :
       {std::pair{BlockedCall::End::kTimeout, std::string(kNothing)},
        {BlockedCall::End::kError, std::string("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n")}}) {
    FakeCluster cluster;
    Reply reply;
    auto blocked = std::make_shared<BlockedCall>();
    cluster.Start({"BZPOPMIN", "z", "0"}, &reply, blocked);
    EXPECT_FALSE(blocked->waits());
    cluster.Settle();
    EXPECT_TRUE(blocked->waits());
    EXPECT_TRUE(blocked->Unblock(end));
    cluster.Settle();
    EXPECT_EQ(reply, expected);
    EXPECT_FALSE(blocked->Unblock(end));
    cluster.Run({"ZADD", "z", "1", "a"});
    EXPECT_EQ(cluster.Run({"ZCARD", "z"}), ":1\r\n");
  }
}

TEST(Blocking, NothingIsTakenForAClientThatIsGone) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    FakeCluster cluster(seed);
    Reply reply;
    auto blocked = std::make_shared<BlockedCall>();
    cluster.Start({"BZPOPMIN", "z", "0"}, &reply, blocked);
    if (seed % 2 == 0) cluster.Settle();
    blocked->Abandon();
    cluster.Settle();
    EXPECT_TRUE(reply);
    cluster.Run({"ZADD", "z", "1", "a"});
    EXPECT_EQ(cluster.Run({"ZCARD", "z"}), ":1\r\n");
  }
}

TEST(Blocking, WhoMayNotWaitTakesWhatIsThereAndElseEnds) {
  FakeCluster cluster;
  cluster.Run({"ZADD", "z", "1", "a"});
  for (const std::string& expected : {Popped("z", "a", "1"), std::string(kNothing)}) {
    Reply reply;
    auto blocked = std::make_shared<BlockedCall>();
    blocked->StopWaiting();
    cluster.Start({"BZPOPMIN", "z", "0"}, &reply, blocked);
    cluster.Settle();
    EXPECT_EQ(reply, expected);
    EXPECT_EQ(blocked->was_stopped(), expected == kNothing);
  }
  // Or it waits already.
  Reply reply;
  auto blocked = std::make_shared<BlockedCall>();
  cluster.Start({"BZPOPMIN", "z", "0"}, &reply, blocked);
  cluster.Settle();
  EXPECT_FALSE(reply);
  blocked->StopWaiting();
  cluster.Settle();
  EXPECT_EQ(reply, kNothing);
  EXPECT_TRUE(blocked->was_stopped());
  cluster.Run({"ZADD", "z", "1", "b"});
  EXPECT_EQ(cluster.Run({"ZCARD", "z"}), ":1\r\n");
}

// Whatever the order of everything: as many elements are taken as there are replies with one, each once.
struct Queue {
  std::string add, take, count;
  std::vector<std::string_view> Add(const std::string& key, const std::string& element) const {
    if (add == "ZADD") return {add, key, "1", element};
    return {add, key, element};
  }
};

void ServeAtRandom(const Queue& queue, uint64_t seed) {
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  FakeCluster cluster(seed);
  const auto keys = KeysOfDistinctSlots("z", 3);
  std::vector<Reply> waiting(12);
  std::vector<Reply> adding(12);
  std::vector<std::array<std::string, 2>> waits_for(12);
  size_t added = 0;
  for (size_t i = 0; i < waiting.size(); ++i) {
    waits_for[i] = {keys[random() % 3], keys[random() % 3]};
    cluster.Start({queue.take, waits_for[i][0], waits_for[i][1], random() % 3 == 0 ? "0.05" : "0"},
                  &waiting[i]);
    for (size_t steps = random() % 20; steps > 0; --steps) cluster.Step();
    if (random() % 4 == 0) cluster.SendParkedAway(SlotOf(keys[random() % 3]));
    if (random() % 2 == 0) {
      const std::string element = std::to_string(added);
      cluster.Start(queue.Add(keys[random() % 3], element), &adding[added]);
      ++added;
    }
    if (random() % 5 == 0) cluster.Advance(random() % 40);
  }
  cluster.Advance(20'000);
  std::vector<std::string> taken;
  for (const Reply& reply : waiting) {
    if (reply && *reply != kNothing) taken.push_back(*reply);
  }
  size_t left = 0;
  for (const std::string& key : keys) left += std::stoul(cluster.Run({queue.count, key}).substr(1));
  EXPECT_EQ(taken.size() + left, added);
  std::sort(taken.begin(), taken.end());
  EXPECT_EQ(std::unique(taken.begin(), taken.end()), taken.end());
  for (size_t i = 0; i < waiting.size(); ++i) {
    if (waiting[i]) continue;
    for (const std::string& key : waits_for[i]) EXPECT_EQ(cluster.Run({queue.count, key}), ":0\r\n");
  }
}

TEST(Blocking, EveryElementGoesToOneClient) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    ServeAtRandom({"ZADD", "BZPOPMIN", "ZCARD"}, seed);
    ServeAtRandom({"RPUSH", seed % 2 == 0 ? "BLPOP" : "BRPOP", "LLEN"}, seed);
  }
}

}  // namespace
}  // namespace orrery::commands

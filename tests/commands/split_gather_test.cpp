#include <gtest/gtest.h>

#include <algorithm>

#include "commands/fake_cluster.h"

namespace orrery::commands {
namespace {

using replication::Outcome;
using replication::Response;

constexpr uint64_t kSeeds = 20;

Response Fails(const std::string& detail) {
  return {Outcome::kClusterDown, detail};
}

/// The command's name, then keys and what stands between them.
std::vector<std::string_view> Call(std::string_view name, const std::vector<std::string>& words) {
  std::vector<std::string_view> args = {name};
  args.insert(args.end(), words.begin(), words.end());
  return args;
}

std::string Bulk(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

TEST(SplitTest, RepliesAreInTheOrderOfTheKeysWhateverTheOrderOfArrival) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    FakeCluster cluster(seed);
    std::vector<std::string> pairs;
    std::vector<std::string> keys;
    std::string expected = "*61\r\n";
    for (int i = 0; i < 60; ++i) {
      keys.push_back(i % 3 == 0 ? "{tag}" + std::to_string(i) : "key" + std::to_string(i));
      pairs.push_back(keys.back());
      pairs.push_back("value" + std::to_string(i));
      expected += Bulk(pairs.back());
    }
    keys.push_back("absent");
    expected += "$-1\r\n";
    EXPECT_EQ(cluster.Run(Call("MSET", pairs)), "+OK\r\n");
    EXPECT_EQ(cluster.Run(Call("MGET", keys)), expected);
  }
}

TEST(SplitTest, KeysOfOneSlotTravelTogether) {
  FakeCluster cluster;
  cluster.Run({"mget", "{a}1", "{b}1", "{a}2", "{b}2"});
  EXPECT_EQ(cluster.log().size(), 2u);
  cluster.ClearLog();
  cluster.Run({"mset", "{a}1", "x", "{a}2", "y"});
  EXPECT_EQ(cluster.log().size(), 1u);
}

TEST(SplitTest, KeysGivenTwiceCountTwice) {
  FakeCluster cluster;
  cluster.Run({"mset", "a", "1", "b", "2"});
  EXPECT_EQ(cluster.Run({"exists", "a", "b", "a", "c"}), ":3\r\n");
  EXPECT_EQ(cluster.Run({"mget", "b", "a", "b"}), "*3\r\n" + Bulk("2") + Bulk("1") + Bulk("2"));
  EXPECT_EQ(cluster.Run({"touch", "a", "b"}), ":2\r\n");
  EXPECT_EQ(cluster.Run({"del", "a", "a", "b", "c"}), ":2\r\n");
  EXPECT_EQ(cluster.Run({"unlink", "a", "b"}), ":0\r\n");
}

TEST(SplitTest, LaterValueOfAKeyGivenTwiceWins) {
  FakeCluster cluster;
  EXPECT_EQ(cluster.Run({"mset", "a", "1", "b", "2", "a", "3"}), "+OK\r\n");
  EXPECT_EQ(cluster.Run({"get", "a"}), Bulk("3"));
}

TEST(SplitTest, NullsAreThoseOfTheProtocol) {
  FakeCluster cluster;
  cluster.session.resp = 3;
  EXPECT_EQ(cluster.Run({"mget", "a", "b"}), "*2\r\n_\r\n_\r\n");
}

TEST(SplitTest, FirstErrorInKeyOrderIsTheReply) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    FakeCluster cluster(seed);
    const auto keys = KeysOfDistinctSlots("k", 6);
    cluster.Fail(SlotOf(keys[4]), Fails("late"));
    cluster.Fail(SlotOf(keys[2]), Fails("early"));
    for (const char* name : {"MGET", "DEL", "EXISTS", "UNLINK", "MSET"}) {
      EXPECT_EQ(cluster.Run(Call(name, keys)), "-CLUSTERDOWN early\r\n") << name;
    }
    // What the other slots did stays done.
    cluster.Fail(SlotOf(keys[2]), std::nullopt);
    cluster.Fail(SlotOf(keys[4]), std::nullopt);
    EXPECT_EQ(cluster.Run({"get", keys[0]}), Bulk(keys[1]));
    EXPECT_EQ(cluster.Run({"get", keys[2]}), "$-1\r\n");
  }
}

TEST(SplitTest, MsetWithoutAValueIsRefusedBeforeAnythingIsWritten) {
  FakeCluster cluster;
  EXPECT_EQ(cluster.Run({"mset", "a", "1", "b"}), "-ERR wrong number of arguments for 'mset' command\r\n");
  EXPECT_EQ(cluster.Run({"msetnx", "a", "1", "b"}),
            "-ERR wrong number of arguments for 'msetnx' command\r\n");
  EXPECT_TRUE(cluster.log().empty());
}

TEST(SplitTest, PipelinedReadsOfSeveralSlotsSeeEarlierWrites) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    FakeCluster cluster(seed);
    std::optional<std::string> replies[4];
    cluster.Start({"set", "a", "1"}, &replies[0]);
    cluster.Start({"mset", "b", "2", "c", "3"}, &replies[1]);
    cluster.Start({"mget", "a", "b", "c"}, &replies[2]);
    cluster.Start({"del", "a", "c"}, &replies[3]);
    cluster.Settle();
    EXPECT_EQ(replies[2], "*3\r\n" + Bulk("1") + Bulk("2") + Bulk("3"));
    EXPECT_EQ(replies[3], ":2\r\n");
  }
}

TEST(MsetNxTest, WritesAllOrNothingWithoutInterference) {
  FakeCluster cluster;
  EXPECT_EQ(cluster.Run({"msetnx", "a", "1", "b", "2"}), ":1\r\n");
  EXPECT_EQ(cluster.Run({"msetnx", "b", "9", "c", "9"}), ":0\r\n");
  EXPECT_EQ(cluster.Run({"mget", "a", "b", "c"}), "*3\r\n" + Bulk("1") + Bulk("2") + "$-1\r\n");
}

TEST(MsetNxTest, OneSlotIsOneAtomicRequest) {
  FakeCluster cluster;
  EXPECT_EQ(cluster.Run({"msetnx", "{t}a", "1", "{t}b", "2"}), ":1\r\n");
  EXPECT_EQ(cluster.log().size(), 1u);
}

TEST(MsetNxTest, ASlotThatCannotBeAskedKeepsAllFromBeingWritten) {
  FakeCluster cluster;
  const auto keys = KeysOfDistinctSlots("k", 2);
  cluster.Fail(SlotOf(keys[1]), Fails("away"));
  EXPECT_EQ(cluster.Run({"msetnx", keys[0], "1", keys[1], "2"}), "-CLUSTERDOWN away\r\n");
  EXPECT_EQ(cluster.Run({"exists", keys[0]}), ":0\r\n");
}

TEST(GatherTest, RenameMovesAKeyToAnotherSlotWithItsEnd) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    FakeCluster cluster(seed);
    cluster.Run({"set", "from", "v", "PX", "5000"});
    cluster.Run({"set", "to", "old"});
    EXPECT_EQ(cluster.Run({"rename", "from", "to"}), "+OK\r\n");
    EXPECT_EQ(cluster.Run({"mget", "from", "to"}), "*2\r\n$-1\r\n" + Bulk("v"));
    EXPECT_EQ(cluster.Run({"pttl", "to"}), ":5000\r\n");
  }
}

TEST(GatherTest, RenameOfAnAbsentKeyChangesNothing) {
  FakeCluster cluster;
  cluster.Run({"set", "to", "old"});
  EXPECT_EQ(cluster.Run({"rename", "from", "to"}), "-ERR no such key\r\n");
  EXPECT_EQ(cluster.Run({"get", "to"}), Bulk("old"));
}

TEST(GatherTest, RenamenxLeavesBothKeysIfTheNameIsTaken) {
  FakeCluster cluster;
  cluster.Run({"mset", "from", "1", "to", "2"});
  EXPECT_EQ(cluster.Run({"renamenx", "from", "to"}), ":0\r\n");
  EXPECT_EQ(cluster.Run({"mget", "from", "to"}), "*2\r\n" + Bulk("1") + Bulk("2"));
  cluster.Run({"del", "to"});
  EXPECT_EQ(cluster.Run({"renamenx", "from", "to"}), ":1\r\n");
  EXPECT_EQ(cluster.Run({"mget", "from", "to"}), "*2\r\n$-1\r\n" + Bulk("1"));
}

TEST(GatherTest, RenameLeavesWhatOthersWroteToTheSourceMeanwhile) {
  FakeCluster cluster;
  cluster.Run({"set", "from", "v"});
  std::optional<std::string> other;
  bool interfered = false;
  cluster.on_run = [&](const replication::Request& request) {
    if (request.args[0] != "rename" || std::exchange(interfered, true)) return;
    cluster.Start({"set", "from", "new"}, &other);
  };
  EXPECT_EQ(cluster.Run({"rename", "from", "to"}), "+OK\r\n");
  ASSERT_EQ(other, "+OK\r\n");
  EXPECT_EQ(cluster.Run({"mget", "from", "to"}), "*2\r\n" + Bulk("new") + Bulk("v"));
}

TEST(GatherTest, RenameOfACounterKeepsItsSum) {
  FakeCluster cluster;
  cluster.Run({"set", "from", "40"});
  cluster.Run({"incrby", "from", "2"});
  EXPECT_EQ(cluster.Run({"rename", "from", "to"}), "+OK\r\n");
  EXPECT_EQ(cluster.Run({"incr", "to"}), ":43\r\n");
  EXPECT_EQ(cluster.Run({"incr", "from"}), ":1\r\n");
}

TEST(GatherTest, RenameLeavesWhatOthersCountedAtTheSourceMeanwhile) {
  FakeCluster cluster;
  cluster.Run({"incrby", "from", "40"});
  std::optional<std::string> other;
  bool interfered = false;
  cluster.on_run = [&](const replication::Request& request) {
    if (request.args[0] != "rename" || std::exchange(interfered, true)) return;
    cluster.Start({"incrby", "from", "2"}, &other);
  };
  EXPECT_EQ(cluster.Run({"rename", "from", "to"}), "+OK\r\n");
  ASSERT_EQ(other, ":42\r\n");
  EXPECT_EQ(cluster.Run({"mget", "from", "to"}), "*2\r\n" + Bulk("2") + Bulk("40"));
}

TEST(GatherTest, SourceThatCannotBeReadKeepsTheTargetAsItWas) {
  FakeCluster cluster;
  cluster.Run({"mset", "from", "1", "to", "2"});
  cluster.Fail(SlotOf("from"), Fails("away"));
  EXPECT_EQ(cluster.Run({"rename", "from", "to"}), "-CLUSTERDOWN away\r\n");
  EXPECT_EQ(cluster.Run({"get", "to"}), Bulk("2"));
}

TEST(GatherTest, SourceThatCannotBeRemovedIsAnErrorAndBothKeysStay) {
  FakeCluster cluster;
  cluster.Run({"set", "from", "1"});
  cluster.on_run = [&](const replication::Request& request) {
    if (request.args[0] == "rename") cluster.Fail(SlotOf("from"), Fails("gone"));
  };
  EXPECT_EQ(cluster.Run({"rename", "from", "to"}), "-CLUSTERDOWN gone\r\n");
  cluster.Fail(SlotOf("from"), std::nullopt);
  EXPECT_EQ(cluster.Run({"mget", "from", "to"}), "*2\r\n" + Bulk("1") + Bulk("1"));
}

TEST(GatherTest, KeysOfOneSlotNeedNoRounds) {
  FakeCluster cluster;
  cluster.Run({"set", "{t}a", "1"});
  cluster.ClearLog();
  EXPECT_EQ(cluster.Run({"rename", "{t}a", "{t}b"}), "+OK\r\n");
  EXPECT_EQ(cluster.log().size(), 1u);
  EXPECT_EQ(cluster.Run({"mget", "{t}a", "{t}b"}), "*2\r\n$-1\r\n" + Bulk("1"));
}

TEST(GatherTest, CopyLeavesTheSource) {
  FakeCluster cluster;
  cluster.Run({"set", "from", "v"});
  EXPECT_EQ(cluster.Run({"copy", "from", "to"}), ":1\r\n");
  EXPECT_EQ(cluster.Run({"copy", "from", "to"}), ":0\r\n");
  cluster.Run({"set", "from", "w"});
  EXPECT_EQ(cluster.Run({"copy", "from", "to", "REPLACE"}), ":1\r\n");
  EXPECT_EQ(cluster.Run({"mget", "from", "to"}), "*2\r\n" + Bulk("w") + Bulk("w"));
}

TEST(GatherTest, BitopReadsFromManySlots) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    FakeCluster cluster(seed);
    const auto keys = KeysOfDistinctSlots("bits", 4);
    cluster.Run({"mset", keys[0], "\x01", keys[1], "\x02", keys[2], "\x04"});
    EXPECT_EQ(cluster.Run({"bitop", "or", keys[3], keys[0], keys[1], keys[2], "absent"}), ":1\r\n");
    EXPECT_EQ(cluster.Run({"get", keys[3]}), Bulk("\x07"));
    EXPECT_EQ(cluster.Run({"bitop", "xor", keys[0], keys[0], keys[3]}), ":1\r\n");
    EXPECT_EQ(cluster.Run({"get", keys[0]}), Bulk("\x06"));
  }
}

TEST(GatherTest, LcsComparesKeysOfTwoSlots) {
  FakeCluster cluster;
  cluster.Run({"mset", "key1", "ohmytext", "key2", "mynewtext"});
  EXPECT_EQ(cluster.Run({"lcs", "key1", "key2"}), Bulk("mytext"));
  EXPECT_EQ(cluster.Run({"lcs", "key1", "key2", "LEN"}), ":6\r\n");
}

TEST(GatherTest, KeysOfOtherDatabasesAreOthers) {
  FakeCluster cluster;
  cluster.Run({"set", "from", "zero"});
  cluster.session.db = 1;
  EXPECT_EQ(cluster.Run({"rename", "from", "to"}), "-ERR no such key\r\n");
  cluster.Run({"set", "from", "one"});
  EXPECT_EQ(cluster.Run({"rename", "from", "to"}), "+OK\r\n");
  cluster.session.db = 0;
  EXPECT_EQ(cluster.Run({"mget", "from", "to"}), "*2\r\n" + Bulk("zero") + "$-1\r\n");
}

TEST(FirstOfTest, TakesFromTheFirstKeyThatHasSomethingWhereverItLies) {
  FakeCluster cluster;
  EXPECT_EQ(cluster.Run({"zadd", "b", "1", "m"}), ":1\r\n");
  EXPECT_EQ(cluster.Run({"zadd", "c", "2", "n"}), ":1\r\n");
  cluster.ClearLog();
  EXPECT_EQ(cluster.Run({"zmpop", "3", "a", "b", "c", "MIN"}),
            "*2\r\n" + Bulk("b") + "*1\r\n*2\r\n" + Bulk("m") + Bulk("1"));
  // Nobody asks further than need be.
  EXPECT_EQ(cluster.log().size(), 2u);
  EXPECT_EQ(cluster.Run({"zmpop", "3", "b", "c", "a", "MAX", "COUNT", "5"}),
            "*2\r\n" + Bulk("c") + "*1\r\n*2\r\n" + Bulk("n") + Bulk("2"));
  EXPECT_EQ(cluster.Run({"zmpop", "3", "a", "b", "c", "MIN"}), "*-1\r\n");
  cluster.session.resp = 3;
  EXPECT_EQ(cluster.Run({"zmpop", "3", "a", "b", "c", "MIN"}), "_\r\n");
}

TEST(FirstOfTest, NeighboursOfOneSlotAreAskedTogetherAndInOrder) {
  FakeCluster cluster;
  cluster.Run({"zadd", "{t}2", "1", "m"});
  cluster.Run({"zadd", "other", "1", "n"});
  cluster.ClearLog();
  EXPECT_EQ(cluster.Run({"zmpop", "3", "{t}1", "{t}2", "other", "MIN"}),
            "*2\r\n" + Bulk("{t}2") + "*1\r\n*2\r\n" + Bulk("m") + Bulk("1"));
  EXPECT_EQ(cluster.log().size(), 1u);
}

TEST(FirstOfTest, AnErrorEndsTheSearch) {
  FakeCluster cluster;
  cluster.Run({"set", "a", "x"});
  cluster.Run({"zadd", "b", "1", "m"});
  EXPECT_TRUE(cluster.Run({"zmpop", "2", "a", "b", "MIN"}).starts_with("-WRONGTYPE"));
  EXPECT_EQ(cluster.Run({"zcard", "b"}), ":1\r\n");
}

}  // namespace
}  // namespace orrery::commands

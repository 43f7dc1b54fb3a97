// Two sides that cannot see each other, both of which go on.

#include "orrery/base/marks.h"
#include "simulation/scenarios/scenario.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kNoticedUs = 6'000'000;

// Increments on both sides of a cut add up.
TEST(PartitionScenario, CountersOfBothSidesAddUp) {
  Scenario s;
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
  s.Isolate({s.home(0), s.away(0)});
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":2\r\n");
  EXPECT_EQ(s.Do(s.home(1), 'b', "INCR"), ":2\r\n");
  EXPECT_EQ(s.Do(s.away(1), 'b', "INCR"), ":3\r\n");
  s.Settle();
  EXPECT_EQ(s.Do(s.away(0), 'b', "GET"), "$1\r\n4\r\n");
}

// What was written on both sides becomes siblings; the context of both replaces both.
TEST(PartitionScenario, ValuesOfBothSidesBecomeSiblings) {
  Scenario s;
  s.Isolate({s.home(0), s.away(0)});
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(s.home(0), 'c', "SET", {"left"}), "+OK\r\n");
  EXPECT_EQ(s.Do(s.home(1), 'c', "SET", {"right"}), "+OK\r\n");
  s.Settle();
  const std::string both = s.Do(s.away(0), 'c', "DGET");
  EXPECT_NE(both.find("left"), std::string::npos) << both;
  EXPECT_NE(both.find("right"), std::string::npos) << both;
  const size_t begin = both.find("\r\n", both.find('$')) + 2;
  const std::string context = both.substr(begin, both.find("\r\n", begin) - begin);
  s.Do(s.away(1), 'c', "DPUT", {context, "merged"});
  s.Settle();
  EXPECT_EQ(s.Do(s.home(2), 'c', "GET"), "$6\r\nmerged\r\n");
}

// A key that was deleted while a home was away stays deleted when the home and its hints come back.
TEST(PartitionScenario, DeletedKeyStaysDeletedWhenAHomeReturns) {
  Scenario s;
  EXPECT_EQ(s.Do(s.home(0), 'a', "SET", {"7"}), "+OK\r\n");
  s.RunFor(100'000);
  s.Isolate({s.home(2)});
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(s.home(0), 'a', "INCR"), ":8\r\n");
  EXPECT_EQ(s.Do(s.home(1), 'a', "DEL"), ":1\r\n");
  s.Settle();
  EXPECT_EQ(s.Do(s.home(2), 'a', "GET"), "$-1\r\n");
}

// What one side counted after the cut survives a deletion on the other side.
TEST(PartitionScenario, CountAfterTheCutSurvivesADeletionOnTheOtherSide) {
  Scenario s;
  EXPECT_EQ(s.Do(s.home(0), 'a', "INCR"), ":1\r\n");
  s.RunFor(100'000);
  s.Isolate({s.home(0), s.away(0)});
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(s.home(0), 'a', "INCR"), ":2\r\n");
  EXPECT_EQ(s.Do(s.home(1), 'a', "DEL"), ":1\r\n");
  s.Settle();
  EXPECT_EQ(s.Do(s.home(1), 'a', "GET"), "$1\r\n1\r\n");
}

// Reads through the home of that place need no question of their own, as `spared` counts, while nothing comes
// to home(1) but from home(0). Then something does: from a third home, which nobody else in the coordinator's
// part of the network reaches.
void ExpectReadSeesWhatCameToTheOtherHome(size_t entry, uint64_t replication::ShardStats::*spared) {
  Scenario s;
  EXPECT_EQ(s.Do(s.home(0), 'c', "SET", {"old"}), "+OK\r\n");
  s.Isolate({s.home(0), s.home(1)});
  s.RunFor(kNoticedUs);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(s.Do(s.home(entry), 'c', "GET"), "$3\r\nold\r\n");
  const auto& stats = s.cluster().node(s.home(0)).ShardOf(s.slot()).stats();
  const uint64_t before = stats.*spared;
  EXPECT_EQ(s.Do(s.home(entry), 'c', "GET"), "$3\r\nold\r\n");
  EXPECT_EQ(stats.*spared, before + 1);

  EXPECT_EQ(s.Do(s.home(2), 'c', "SET", {"new"}), "+OK\r\n");
  s.cluster().SetBlocked(s.home(1), s.home(2), false);
  s.cluster().SetBlocked(s.home(2), s.home(1), false);
  const auto& at_second = s.cluster().node(s.home(1)).ShardOf(s.slot()).slots();
  const causality::SlotClock old = at_second.Find(s.slot())->clock();
  for (int i = 0; i < 200'000 && at_second.Find(s.slot())->clock() == old; ++i) s.RunFor(50);
  const auto& at_first = s.cluster().node(s.home(0)).ShardOf(s.slot()).slots();
  ASSERT_EQ(at_first.Find(s.slot())->clock(), old) << "it is to be asked for by the read";
  EXPECT_EQ(s.Do(s.home(entry), 'c', "GET"), "$3\r\nnew\r\n");
  s.Settle();
}

// Reads that share their turn's question to another home are asked for one by one as soon as anything came to
// that home by other hands.
TEST(PartitionScenario, ReadSeesWhatCameToTheOtherHomeByOtherHands) {
  ExpectReadSeesWhatCameToTheOtherHome(0, &replication::ShardStats::probes_joined);
}

// The same where the other home is the one that the client is connected to, which says so with the read.
TEST(PartitionScenario, ReadSeesWhatCameToItsEntryNodeByOtherHands) {
  ExpectReadSeesWhatCameToTheOtherHome(1, &replication::ShardStats::probes_spared);
}

// A write through another home is acknowledged when that has it: no word need come back to the coordinator
// first.
TEST(PartitionScenario, WriteThroughAHomeIsAcknowledgedBeforeItsCoordinatorHearsOfTheSecondCopy) {
  Scenario s;
  EXPECT_EQ(s.Do(s.home(1), 'c', "SET", {"old"}), "+OK\r\n");
  s.RunFor(100'000);
  const auto& shard = s.cluster().node(s.home(0)).ShardOf(s.slot());
  const uint64_t made = shard.stats().events_made;
  const Call* write = s.Send(s.home(1), 'c', "SET", {"new"});
  for (int i = 0; i < 10'000 && shard.stats().events_made == made; ++i) s.RunFor(10);
  ASSERT_EQ(shard.stats().events_made, made + 1);
  for (const size_t home : {s.home(1), s.home(2)}) s.cluster().SetBlocked(home, s.home(0), true);
  s.RunFor(3'000);
  EXPECT_EQ(Scenario::Seen(*write), "+OK\r\n");
  EXPECT_GT(s.cluster().node(s.home(1)).ShardOf(s.slot()).stats().replies_bound, 0u);
  s.Settle();
  EXPECT_EQ(s.Do(s.home(2), 'c', "GET"), "$3\r\nnew\r\n");
}

// home(0) counts on before it notices the cut: that is a later version of what the other side deletes, and
// goes with it.
TEST(PartitionScenario, LaterVersionOfADeletedCountIsDeletedByAMerge) {
  Options options = Scenario::Sizes();
  options.shard.backlog_bytes_max = 1;
  options.r = 1;  // it asks nobody before it counts
  Scenario s(options);
  EXPECT_EQ(s.Do(s.home(0), 'a', "INCR"), ":1\r\n");
  s.RunFor(100'000);
  s.Isolate({s.home(0), s.away(0)});
  const Call* second = s.Send(s.home(0), 'a', "INCR");
  s.RunFor(kNoticedUs);
  EXPECT_EQ(Scenario::Seen(*second), ":2\r\n");
  EXPECT_EQ(s.Do(s.home(1), 'a', "DEL"), ":1\r\n");
  // Backlogs forget, and no fallback brings events: the two homes merge.
  for (const size_t home : {s.home(0), s.home(1)}) {
    for (const char* value : {"v", "w"}) EXPECT_EQ(s.Do(home, 'c', "SET", {value}), "+OK\r\n");
  }
  s.cluster().SetBlocked(s.home(0), s.home(1), false);
  s.cluster().SetBlocked(s.home(1), s.home(0), false);
  s.RunFor(kNoticedUs);
  s.Settle();
  EXPECT_EQ(s.Do(s.home(1), 'a', "GET"), "$-1\r\n");
}

// With no home in reach a fallback takes blind writes and refuses what needs state.
TEST(PartitionScenario, FallbacksAloneTakeBlindWritesOnly) {
  Scenario s;
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
  s.RunFor(100'000);
  s.Isolate({s.away(0), s.away(1)});
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(s.away(0), 'c', "SET", {"kept"}), "+OK\r\n");
  EXPECT_EQ(s.Do(s.away(1), 'b', "INCR").substr(0, 12), "-CLUSTERDOWN");
  s.Settle();
  EXPECT_EQ(s.Do(s.home(1), 'c', "GET"), "$4\r\nkept\r\n");
  EXPECT_EQ(s.Do(s.home(1), 'b', "GET"), "$1\r\n1\r\n");
}

// A fallback that once had no room for hints was never asked again: long after, the slot lacked it for a
// quorum.
TEST(PartitionScenario, FallbackThatHadNoRoomStandsInLater) {
  Options options = Scenario::Sizes();
  options.shard.hint_bytes_max = 300;
  Scenario s(options);
  s.Isolate({s.home(2), s.away(1)});
  s.RunFor(kNoticedUs);
  for (int i = 0; i < 20; ++i) s.Do(s.home(0), 'c', "SET", {std::string(100, 'x')});
  s.Isolate({s.home(2)}, false);
  s.RunFor(20'000'000);
  s.Isolate({s.home(1), s.home(2)});
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(s.home(0), 'c', "SET", {"later"}), "+OK\r\n");
  s.Settle();
  EXPECT_EQ(s.Do(s.home(2), 'c', "GET"), "$5\r\nlater\r\n");
}

// The same where nothing changes in the coordinator's reach: only the fallback reaches the home again, and
// hands over.
TEST(PartitionScenario, FallbackThatHadNoRoomIsAskedAgainAfterAWhile) {
  Options options = Scenario::Sizes();
  options.shard.hint_bytes_max = 300;
  options.w = 3;
  Scenario s(options);
  s.Isolate({s.home(2), s.away(1)});
  s.RunFor(kNoticedUs);
  std::string last = "+OK\r\n";
  for (int i = 0; i < 20 && last == "+OK\r\n"; ++i)
    last = s.Do(s.home(0), 'c', "SET", {std::string(100, 'x')});
  EXPECT_NE(last, "+OK\r\n") << "the hints were to be too many";
  s.cluster().SetBlocked(s.home(2), s.away(0), false);
  s.cluster().SetBlocked(s.away(0), s.home(2), false);
  s.RunFor(100'000'000);
  EXPECT_EQ(s.Do(s.home(0), 'c', "SET", {"later"}), "+OK\r\n");
  s.Settle();
}

// A home acknowledged a write and was lost before the third copy was known. Its fallback was to get only what
// came after what it had acknowledged; but what it had acknowledged did not count any more.
TEST(PartitionScenario, FallbackGetsWhatTheLostHomeHadAcknowledged) {
  Options options = Scenario::Sizes();
  options.w = 3;
  Scenario s(options);
  s.Isolate({s.away(1)});
  s.RunFor(kNoticedUs);
  s.cluster().PauseNode(s.home(2));
  const Call* set = s.Send(s.home(0), 'c', "SET", {"v"});
  s.RunFor(20'000);
  s.Isolate({s.home(1)});
  s.RunFor(300'000);
  s.cluster().ResumeNode(s.home(2));
  s.RunFor(kNoticedUs);
  EXPECT_EQ(Scenario::Seen(*set), "+OK\r\n");
  EXPECT_EQ(s.Do(s.home(0), 'c', "SET", {"w"}), "+OK\r\n");
  s.Settle();
}

uint64_t HitsOf(const std::string& mark) {
  const auto marks = Mark::All();
  const auto found = marks.find(mark);
  return found == marks.end() ? 0 : found->second;
}

// What a home lacks may be more than fits into one answer: the rest follows when it has taken that.
TEST(PartitionScenario, HomeThatLacksMegabytesGetsThemInRounds) {
  Scenario s;
  s.Isolate({s.home(2), s.away(0), s.away(1)});
  s.RunFor(kNoticedUs);
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(s.Do(s.home(0), 'c', "SET", {std::string(200'000, static_cast<char>('a' + i % 26))}),
              "+OK\r\n");
  }
  const uint64_t before = HitsOf("what a peer lacks goes in several rounds");
  s.Settle();
  EXPECT_GT(HitsOf("what a peer lacks goes in several rounds"), before);
  EXPECT_EQ(s.Do(s.home(2), 'c', "STRLEN"), ":200000\r\n");
}

// A home that sleeps in the middle of a merge finds that its source has dropped the image, and asks for
// another.
TEST(PartitionScenario, MergeWhoseImageIsGoneStartsAnew) {
  Options options = Scenario::Sizes();
  options.shard.merge_part_bytes = 1;
  options.shard.backlog_bytes_max = 1;
  Scenario s(options);
  s.cluster().CrashNode(s.home(2), SIZE_MAX, 1000);
  s.RunFor(kNoticedUs);
  for (int i = 0; i < 40; ++i) s.Do(s.home(0), 'd', "ESET", {"e" + std::to_string(i), "v"});
  // No fallback has them either: only a merge brings them.
  s.cluster().CrashNode(s.away(0), 0, 1000);
  s.cluster().CrashNode(s.away(1), 0, 1000);
  s.cluster().StartNode(s.home(2));
  const auto merging = [&] {
    return s.cluster().node(s.home(2)).ShardOf(s.slot()).catch_up().Merging(s.slot());
  };
  for (int i = 0; i < 5'000 && !merging(); ++i) s.RunFor(1'000);
  ASSERT_TRUE(merging());
  s.RunFor(3'000);
  const uint64_t before = HitsOf("merge source has dropped the image");
  s.cluster().PauseNode(s.home(2));
  s.RunFor(60'000'000);
  s.cluster().ResumeNode(s.home(2));
  s.RunFor(100'000);
  EXPECT_GT(HitsOf("merge source has dropped the image"), before);
  s.Settle();
  EXPECT_EQ(s.Do(s.home(2), 'd', "EGET", {"e7"}), "$1\r\nv\r\n");
}

// A home that was cut off compares its rows with an image that knows of an addition and of its removal:
// neither has the row, so that range is equal. Then the addition comes by another way, and the removal, which
// the image's clock covers, never.
TEST(PartitionScenario, AdditionThatComesDuringAMergeIsRemovedAsTheImageSays) {
  Options options = Scenario::Sizes();
  options.shard.merge_whole_bytes = options.shard.merge_leaf_bytes = 0;
  options.shard.merge_fanout = 2;
  options.shard.backlog_bytes_max = 1;
  size_t during_the_merge = 0;
  for (uint64_t moment = 0; moment < 12; ++moment) {
    Scenario s(options);
    const size_t late = s.home(2);
    for (const char* member : {"a", "b", "c", "d", "e", "f"}) s.Do(s.home(0), 'm', "SADD", {member});
    s.RunFor(3'000'000);
    s.Isolate({late});
    s.RunFor(kNoticedUs);
    const causality::Dot addition{s.cluster().node(s.home(0)).actor(), 7};
    EXPECT_EQ(s.Do(s.home(0), 'm', "SADD", {"passing"}), ":1\r\n");
    EXPECT_EQ(s.Do(s.home(0), 'm', "SREM", {"passing"}), ":1\r\n");
    EXPECT_EQ(s.Do(s.home(0), 'm', "SADD", {"g"}), ":1\r\n");
    const causality::Event* event = s.checkers().history().Find(s.slot(), addition);
    ASSERT_NE(event, nullptr);
    const replication::EventMessage message{0, causality::MakeEventPtr(*event)};

    s.cluster().SetBlocked(s.home(1), late, false);
    s.cluster().SetBlocked(late, s.home(1), false);
    SimNode& node = s.cluster().node(late);
    replication::Shard& shard = node.ShardOf(s.slot());
    const auto merging = [&] { return shard.catch_up().Merging(s.slot()); };
    for (int i = 0; i < 100'000 && !merging(); ++i) s.cluster().Step();
    ASSERT_TRUE(merging());
    for (uint64_t i = 0; i < moment; ++i) s.cluster().Step();
    during_the_merge += merging() ? 1 : 0;
    const NodeId from = s.cluster().node(s.away(0)).id();
    node.Run(s.slot() % node.loops(), [&] { shard.OnMessage(from, message); });
    s.Settle();
    EXPECT_EQ(s.Do(late, 'm', "SISMEMBER", {"passing"}), ":0\r\n");
  }
  EXPECT_GT(during_the_merge, 0u);
}

// A fallback stands for a home that is away, and then, as that is back but has not got anything yet, for
// another one, too: it has one disk all the same.
TEST(PartitionScenario, FallbackThatStandsForTwoHomesIsOneCopy) {
  Options options = Scenario::Sizes();
  options.w = 3;
  options.r = 1;
  options.shard.request_timeout_us = 5'000'000;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Scenario s(options, seed);
    const size_t coordinator = s.home(0), first = s.home(1), second = s.home(2), fallback = s.away(0);
    s.Isolate({first, s.away(1)});
    s.RunFor(kNoticedUs);
    EXPECT_EQ(s.Do(coordinator, 'c', "SET", {"u"}), "+OK\r\n");
    s.cluster().PauseNode(second);
    const Call* set = s.Send(coordinator, 'c', "SET", {"v"});
    s.RunFor(20'000);
    s.Isolate({first}, false);
    for (const size_t peer : {coordinator, fallback}) s.cluster().network().SetSlow(peer, first, 3'000'000);
    s.RunFor(2'000'000);
    EXPECT_EQ(Scenario::Seen(*set), "no answer");
    s.cluster().ResumeNode(second);
    s.RunFor(2'000'000);
    EXPECT_EQ(Scenario::Seen(*set), "+OK\r\n");
    s.Settle();
  }
}

// The first of two writes is too large for the fallback's hints, the second is not: its acknowledgement would
// stand for both.
TEST(PartitionScenario, FallbackTakesNoHintThatFollowsOneThatItHadNoRoomFor) {
  Options options = Scenario::Sizes();
  options.shard.hint_bytes_max = 300;
  options.w = 3;
  options.r = 1;
  Scenario s(options);
  s.Isolate({s.home(2), s.away(1)});
  s.RunFor(kNoticedUs);
  const Call* large = s.Send(s.home(0), 'c', "SET", {std::string(400, 'x')});
  const Call* small = s.Send(s.home(0), 'a', "SET", {"v"});
  s.RunFor(2'000'000);
  EXPECT_NE(Scenario::Seen(*large), "+OK\r\n");
  EXPECT_NE(Scenario::Seen(*small), "+OK\r\n");
  s.Settle();
}

// Who waits at a list is given an element by a coordinator that reaches nobody, and hears that the outcome is
// unknown: waiting on it would be given another one, and the first would be lost.
TEST(PartitionScenario, WhoWaitsHearsThatItsElementMayBeGone) {
  Options options = Scenario::Sizes();
  options.r = 1;
  Scenario s(options);
  const size_t coordinator = s.home(0);
  const Call* pop = s.Send(coordinator, 'k', "BLPOP", {"0"});
  s.RunFor(100'000);
  s.Isolate({coordinator});
  const Call* push = s.Send(coordinator, 'k', "RPUSH", {"first"});
  s.RunFor(kNoticedUs);
  EXPECT_EQ(Scenario::Seen(*push).substr(0, 8), "-UNKNOWN");
  EXPECT_EQ(Scenario::Seen(*pop).substr(0, 8), "-UNKNOWN");
  s.Isolate({coordinator}, false);
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(coordinator, 'k', "RPUSH", {"second"}), ":1\r\n");
  s.RunFor(1'000'000);
  s.Settle();
}

}  // namespace
}  // namespace orrery::simulation

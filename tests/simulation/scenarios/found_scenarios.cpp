// Mistakes that the simulation has found, each with its story.

#include "simulation/scenarios/scenario.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kNoticedUs = 6'000'000;

// A snapshot's cursor of the memory store showed the next commit's bytes of the row that it stood on, so an
// image sent in parts had the clock of one instant and rows of another.
TEST(FoundScenario, ImageSentInPartsDoesNotMoveWithNewCommits) {
  Options options = Scenario::Sizes();
  options.shard.merge_part_bytes = 1;
  options.shard.backlog_bytes_max = 1;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Scenario s(options, seed);
    s.cluster().CrashNode(s.home(2), SIZE_MAX, 1000);
    s.RunFor(kNoticedUs);
    for (const char* field : {"p", "q", "r"}) s.Do(s.home(0), 'd', "ESET", {field, "old"});
    s.cluster().StartNode(s.home(2));
    for (int i = 0; i < 60; ++i) {
      for (const char* field : {"p", "q", "r"}) s.Send(s.home(0), 'd', "ESET", {field, std::to_string(i)});
      s.RunFor(10'000);
    }
    s.Settle();
  }
}

// A SET that stalled on its way was tried elsewhere, refused there as NOREPLICAS, and applied by its first
// receiver.
TEST(FoundScenario, WriteThatWasSentOnceIsNeverCalledRefused) {
  Scenario s;
  s.RunFor(100'000);
  s.cluster().PauseNode(s.home(0));
  const Call* set = s.Send(s.away(0), 'c', "SET", {"late"});
  s.RunFor(10'000);
  s.Isolate({s.away(0)});
  s.RunFor(kNoticedUs);
  EXPECT_NE(Scenario::Seen(*set).substr(0, 11), "-NOREPLICAS");
  s.cluster().ResumeNode(s.home(0));
  s.Settle();
}

// A node whose background sync failed went on as if nothing had happened: it never dropped or confirmed
// anything again.
TEST(FoundScenario, NodeWhoseSyncFailsStopsAndStartsAnew) {
  Scenario s;
  s.Isolate({s.home(2)});
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
  s.Isolate({s.home(2)}, false);
  s.RunFor(300'000);
  for (size_t home : {s.home(0), s.home(1), s.home(2)}) {
    s.cluster().node(home).disk().FailWrites(Status::IoError("simulated disk"));
  }
  s.RunFor(4'000'000);
  s.Settle();
}

// A fallback that kept the same event for two absent homes was counted as two copies.
TEST(FoundScenario, FallbackOfTwoHomesIsOneCopy) {
  Options options = Scenario::Sizes();
  options.w = 3;
  options.r = 1;
  Scenario s(options);
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
  s.cluster().CrashNode(s.away(1), SIZE_MAX, 1000);
  s.cluster().CrashNode(s.home(2), SIZE_MAX, 1000);
  s.RunFor(kNoticedUs);
  // home(1) says nothing any more, but is not known to be gone yet: the event is on home(0) and, for home(2),
  // on away(0).
  s.cluster().PauseNode(s.home(1));
  const Call* incr = s.Send(s.home(0), 'b', "INCR");
  s.RunFor(20'000);
  s.cluster().CrashNode(s.home(1), SIZE_MAX, 1000);
  s.RunFor(kNoticedUs);
  EXPECT_NE(Scenario::Seen(*incr), ":2\r\n");
  s.Settle();
}

// A coordinator that is no home made events that its own full hint store could not keep, and answered all the
// same.
TEST(FoundScenario, FallbackWithoutRoomForHintsRefusesWrites) {
  Options options = Scenario::Sizes();
  options.shard.hint_bytes_max = 300;
  options.w = 1;
  options.r = 1;
  Scenario s(options);
  s.Isolate({s.away(0)});
  s.RunFor(kNoticedUs);
  std::string kept, seen;
  for (int i = 0; i < 20 && (seen.empty() || seen == "+OK\r\n"); ++i) {
    seen = s.Do(s.away(0), 'c', "SET", {"value " + std::to_string(i)});
    if (seen == "+OK\r\n") kept = "value " + std::to_string(i);
  }
  EXPECT_EQ(seen.substr(0, 11), "-NOREPLICAS");
  s.Settle();
  EXPECT_EQ(s.Do(s.home(0), 'c', "GET"), "$" + std::to_string(kept.size()) + "\r\n" + kept + "\r\n");
}

// Requests were numbered from one in each life of a node. A client waited for a key, its entry node died and
// came back, and the answer to what the earlier life had asked was taken for that to a request of the new
// one.
TEST(FoundScenario, AnAnswerToAnEarlierLifeIsNoAnswer) {
  Options options = Scenario::Sizes();
  options.keys_per_slot = options.kinds.size();
  Scenario s(options);
  const Call* earlier = s.Send(s.away(0), 'k', "BLPOP", {"3"});
  s.RunFor(100'000);
  s.cluster().CrashNode(s.away(0), SIZE_MAX, 0);
  s.cluster().StartNode(s.away(0));
  s.RunFor(400'000);
  const Call* waiting = s.Send(s.away(0), 'l', "BLPOP", {"1.5"});
  s.RunFor(100'000);
  EXPECT_EQ(s.Do(s.home(1), 'k', "RPUSH", {"job"}), ":1\r\n");
  s.RunFor(2'000'000);
  EXPECT_FALSE(earlier->reply);
  EXPECT_EQ(Scenario::Seen(*waiting), "*-1\r\n");
  EXPECT_EQ(s.Do(s.home(1), 'k', "LLEN"), ":1\r\n");
  s.Settle();
}

}  // namespace
}  // namespace orrery::simulation

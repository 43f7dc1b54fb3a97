// Nodes that start anew: their earlier lives are closed, and the clocks of their slots stay short.

#include <memory>
#include <utility>

#include "orrery/storage/row_key.h"
#include "simulation/scenarios/scenario.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kNoticedUs = 6'000'000;
constexpr uint64_t kClosedWithinUs = 8'000'000;
// Within the two seconds of a round: a hint is delivered before its keeper is asked, and what its home says
// of that comes after the round's end.
constexpr uint64_t kAskedLateUs = 700'000;
constexpr uint64_t kHeardLateUs = 700'000;

const causality::SlotClock& ClockAt(Scenario* s, size_t node) {
  return s->cluster().node(node).ShardOf(s->slot()).slots().At(s->slot()).clock();
}

bool HasClosed(Scenario* s, size_t home, size_t node) {
  const SimNode& ended = s->cluster().node(node);
  return ClockAt(s, home).FloorOf(ended.id()) == ended.incarnation();
}

void StartAnew(Scenario* s, size_t node) {
  s->cluster().CrashNode(node, SIZE_MAX, 1000);
  s->RunFor(kNoticedUs);
  s->cluster().StartNode(node);
  s->RunFor(kClosedWithinUs);
}

size_t CellsOf(Scenario* s, size_t node, char key) {
  storage::StoredRow stored;
  const std::string row_key = storage::EncodeRowKey({0, s->Key(key), storage::RowTag::kString, {}});
  EXPECT_TRUE(
      storage::ReadStoredRow(s->cluster().node(node).StoreOf(s->slot()), s->slot(), row_key, &stored).ok());
  return stored.row.cells.size();
}

// A counter that was counted in two lives of its coordinator has one entry in the clock and, when it has been
// counted on, one cell in the row.
TEST(ClosingScenario, ACounterOfManyLivesStaysOneEntryAndOneCell) {
  Scenario s;
  for (int life = 0; life < 4; ++life) {
    s.Do(s.home(0), 'b', "INCR");
    s.Do(s.home(0), 'b', "INCR");
    StartAnew(&s, s.home(0));
    for (size_t home = 0; home < 3; ++home) {
      EXPECT_TRUE(HasClosed(&s, s.home(home), s.home(0)));
      EXPECT_LE(ClockAt(&s, s.home(home)).counters().entries().size(), 2u);
    }
  }
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":9\r\n");
  s.RunFor(100'000);
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":10\r\n");
  s.RunFor(100'000);
  for (size_t home = 0; home < 3; ++home) EXPECT_EQ(CellsOf(&s, s.home(home), 'b'), 1u);
  s.Settle();
  EXPECT_EQ(s.Do(s.home(2), 'b', "GET"), "$2\r\n10\r\n");
}

// A member that is away may keep a hint that nobody else has: until it is back nothing is closed.
TEST(ClosingScenario, NothingIsClosedWhileAMemberIsAway) {
  Scenario s;
  s.Do(s.home(0), 'b', "INCR");
  s.cluster().CrashNode(s.away(1), SIZE_MAX, 1000);
  StartAnew(&s, s.home(0));
  EXPECT_FALSE(HasClosed(&s, s.home(0), s.home(0)));
  s.cluster().StartNode(s.away(1));
  s.RunFor(kClosedWithinUs);
  EXPECT_TRUE(HasClosed(&s, s.home(0), s.home(0)));
  s.Settle();
}

// A home comes back with an older disk, from before the lives were closed and without all of their events: it
// must not take the floor without the rows.
TEST(ClosingScenario, AHomeWithAnOlderDiskGetsTheRowsWithTheFloor) {
  Scenario s;
  EXPECT_EQ(s.Do(s.home(0), 'c', "SET", {"old"}), "+OK\r\n");
  s.RunFor(3'000'000);
  const auto image = s.cluster().node(s.home(2)).disk().CopyImage();
  EXPECT_EQ(s.Do(s.home(0), 'c', "SET", {"new"}), "+OK\r\n");
  StartAnew(&s, s.home(0));
  EXPECT_TRUE(HasClosed(&s, s.home(2), s.home(0)));
  s.cluster().CrashNode(s.home(2), SIZE_MAX, 1000);
  s.cluster().RestoreImage(s.home(2), *image);
  s.cluster().StartNode(s.home(2));
  s.RunFor(kClosedWithinUs);
  EXPECT_TRUE(HasClosed(&s, s.home(2), s.home(0)));
  s.cluster().CrashNode(s.home(0), SIZE_MAX, 1000);
  s.cluster().CrashNode(s.home(1), SIZE_MAX, 1000);
  s.RunFor(kNoticedUs);
  EXPECT_EQ(s.Do(s.home(2), 'c', "GET"), "$3\r\nnew\r\n");
  s.Settle();
}

// home(0) counts with only away(0) in reach, and loses power before anything is synced: what it counted last
// is left in away(0)'s hints alone, which is cut off from the other homes. All homes agree about the life
// that is over, and a member that is no home has its next event.
TEST(ClosingScenario, NothingIsClosedWhileAHintHasTheNextEvent) {
  Scenario s;
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
  s.RunFor(3'000'000);
  const std::set<size_t> side = {s.home(0), s.away(0)};
  s.Isolate(side);
  s.RunFor(2'000'000);
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":2\r\n");
  s.cluster().CrashNode(s.home(0), 0, 1000);
  s.RunFor(1'000'000);
  s.Isolate(side, false);
  const auto block_hints = [&](bool blocked) {
    for (const size_t home : {s.home(1), s.home(2)}) {
      s.cluster().SetBlocked(s.away(0), home, blocked);
      s.cluster().SetBlocked(home, s.away(0), blocked);
    }
  };
  block_hints(true);
  s.RunFor(kNoticedUs);
  s.cluster().StartNode(s.home(0));
  s.RunFor(2 * kClosedWithinUs);
  EXPECT_FALSE(HasClosed(&s, s.home(0), s.home(0)));
  block_hints(false);
  s.RunFor(4 * kClosedWithinUs);
  EXPECT_TRUE(HasClosed(&s, s.home(0), s.home(0)));
  EXPECT_EQ(s.Do(s.home(0), 'b', "GET"), "$1\r\n2\r\n");
  s.Settle();
}

// Old disks took all that the homes had of a life, and the hint of its first event: no clock had the life, so
// nobody closed it, and the hint of its second event stayed for ever.
TEST(ClosingScenario, AHintOfALifeThatNoHomeKnowsGoes) {
  Scenario s;
  s.RunFor(2'000'000);
  const size_t coordinator = s.home(0);
  const size_t with_first = s.away(0);
  const size_t with_second = s.away(1);
  const auto image_of_coordinator = s.cluster().node(coordinator).disk().CopyImage();
  const auto image_of_fallback = s.cluster().node(with_first).disk().CopyImage();
  for (const size_t fallback : {with_first, with_second}) {
    s.Isolate({coordinator, fallback});
    s.RunFor(2'500'000);
    EXPECT_TRUE(s.Do(coordinator, 'b', "INCR").starts_with(':'));
    s.Isolate({coordinator, fallback}, false);
    if (fallback == with_first) s.Isolate({with_first});
  }
  s.Isolate({s.home(1), s.home(2)});
  s.cluster().CrashNode(coordinator, SIZE_MAX, 1000);
  s.cluster().CrashNode(with_first, SIZE_MAX, 1000);
  s.cluster().RestoreImage(coordinator, *image_of_coordinator);
  s.cluster().RestoreImage(with_first, *image_of_fallback);
  s.RunFor(3'000'000);
  s.cluster().StartNode(coordinator);
  s.cluster().StartNode(with_first);
  s.Settle();
  EXPECT_EQ(s.Do(coordinator, 'b', "GET"), "$-1\r\n");
}

// Until the trace shows a frame of which this is a part; whether it did.
bool RunUntilFrame(Scenario* s, const std::string& part, uint64_t within_us) {
  const uint64_t until_us = s->cluster().scheduler().now_us() + within_us;
  while (s->cluster().scheduler().now_us() < until_us && s->cluster().Step()) {
    const auto& trace = s->cluster().trace();
    if (!trace.empty() && trace.back().find(part) != std::string::npos) return true;
  }
  return false;
}

// As above, but the hint reaches its home just after that has said what it has, and is gone before away(0) is
// asked: only the second question to the homes shows that one of them has one event more.
TEST(ClosingScenario, NothingIsClosedWhenAHomeGetsTheNextEventBetweenTheQuestions) {
  Scenario s;
  const size_t asker = s.home(0), keeper = s.away(0);
  const std::vector<size_t> others = {s.home(1), s.home(2)};
  EXPECT_EQ(s.Do(asker, 'b', "INCR"), ":1\r\n");
  s.RunFor(3'000'000);
  const std::set<size_t> side = {asker, keeper};
  s.Isolate(side);
  s.RunFor(2'000'000);
  EXPECT_EQ(s.Do(asker, 'b', "INCR"), ":2\r\n");
  s.cluster().CrashNode(asker, 0, 1000);
  s.RunFor(1'000'000);
  s.Isolate(side, false);
  const auto block_hints = [&](bool blocked) {
    for (const size_t home : others) {
      s.cluster().SetBlocked(keeper, home, blocked);
      s.cluster().SetBlocked(home, keeper, blocked);
    }
  };
  block_hints(true);
  s.RunFor(kNoticedUs);
  s.cluster().StartNode(asker);
  s.RunFor(2 * kClosedWithinUs);
  EXPECT_FALSE(HasClosed(&s, asker, asker));

  Network& network = s.cluster().network();
  network.SetSlow(asker, keeper, kAskedLateUs);
  s.RunFor(kClosedWithinUs);
  const std::string answer = NodeName(others[0]) + " -> " + NodeName(asker) + " | close! 1 ";
  ASSERT_TRUE(RunUntilFrame(&s, answer, 4 * kClosedWithinUs));
  block_hints(false);
  network.SetSlow(asker, keeper, 0);
  for (const size_t home : others) {
    for (const size_t peer : {asker, others[0], others[1]}) network.SetSlow(home, peer, kHeardLateUs);
  }
  s.RunFor(2'000'000);
  for (const size_t home : others) {
    for (const size_t peer : {asker, others[0], others[1]}) network.SetSlow(home, peer, 0);
  }
  s.RunFor(5 * kClosedWithinUs);
  EXPECT_TRUE(HasClosed(&s, asker, asker));
  EXPECT_EQ(s.Do(asker, 'b', "GET"), "$1\r\n2\r\n");
  s.Settle();
}

void Suspect(Scenario* s, size_t node, const std::vector<size_t>& peers, uint64_t duration_us) {
  for (const size_t peer : peers) s->cluster().node(node).Suspect(s->cluster().node(peer).id(), duration_us);
  s->RunFor(kNoticedUs);
}

// The disks of all homes are slow: what home(0) counted last is in the memory of all, and its life is over. A
// floor that was raised then would go with the power, and with it what it stands for; closed again it would
// stand for less.
TEST(ClosingScenario, NothingIsClosedThatAPowerCutCanTakeFromAllHomes) {
  Scenario s;
  const std::vector<size_t> homes = {s.home(0), s.home(1), s.home(2)};
  EXPECT_EQ(s.Do(homes[0], 'b', "INCR"), ":1\r\n");
  s.RunFor(3'000'000);
  for (const size_t home : homes) s.cluster().node(home).StallSyncs(true);
  EXPECT_EQ(s.Do(homes[0], 'b', "INCR"), ":2\r\n");
  s.RunFor(100'000);
  s.cluster().CrashNode(homes[0], 0, 1000);
  s.RunFor(kNoticedUs);
  s.cluster().StartNode(homes[0]);
  s.RunFor(2 * kClosedWithinUs);
  EXPECT_EQ(s.Do(homes[0], 'b', "GET"), "$1\r\n2\r\n");
  for (const size_t home : homes) s.cluster().CrashNode(home, 0, 1000);
  s.RunFor(kNoticedUs);
  for (const size_t home : homes) {
    s.cluster().node(home).StallSyncs(false);
    s.cluster().StartNode(home);
  }
  s.RunFor(2 * kClosedWithinUs);
  for (const size_t home : homes) EXPECT_TRUE(HasClosed(&s, home, homes[0]));
  s.Settle();
}

// Every home has counted in a life that is closed by now. home(1) takes home(0) for dead, though all that is
// sent arrives, and both coordinate: each may fold its own cells. Who folded the third one's, too, would add
// it twice.
TEST(ClosingScenario, TwoCoordinatorsAtOnceFoldTheirOwnCellsOnly) {
  Scenario s;
  const size_t first = s.home(0), second = s.home(1), third = s.home(2);
  EXPECT_EQ(s.Do(first, 'b', "INCR"), ":1\r\n");
  Suspect(&s, second, {first}, kNoticedUs);
  EXPECT_EQ(s.Do(second, 'b', "INCR"), ":2\r\n");
  s.RunFor(kNoticedUs);
  Suspect(&s, third, {first, second}, kNoticedUs);
  EXPECT_EQ(s.Do(third, 'b', "INCR"), ":3\r\n");
  s.RunFor(kNoticedUs);
  for (const size_t node : {first, second, third}) StartAnew(&s, node);
  s.RunFor(4 * kClosedWithinUs);
  for (const size_t node : {first, second, third}) EXPECT_TRUE(HasClosed(&s, first, node));
  EXPECT_EQ(CellsOf(&s, first, 'b'), 3u);

  Suspect(&s, second, {first}, 60'000'000);
  EXPECT_EQ(s.Do(first, 'b', "INCR"), ":4\r\n");
  EXPECT_EQ(s.Do(second, 'b', "INCR"), ":5\r\n");
  s.RunFor(30'000'000);
  const Call* at_first = s.Send(first, 'b', "INCR");
  const Call* at_second = s.Send(second, 'b', "INCR");
  s.RunFor(1'000'000);
  EXPECT_TRUE(Scenario::Seen(*at_first).starts_with(':'));
  EXPECT_TRUE(Scenario::Seen(*at_second).starts_with(':'));
  s.Settle();
  EXPECT_EQ(s.Do(first, 'b', "GET"), "$1\r\n7\r\n");
  EXPECT_EQ(CellsOf(&s, first, 'b'), 3u);
}

// home(0) counts twice while home(1) is away, the second time with away(0) alone, and loses that with its
// power: a hint of away(0) is all that is left of it. Its next life may not add up the cell that this one is
// a later version of.
TEST(ClosingScenario, ACellOfALifeThatIsNotClosedIsNotFolded) {
  size_t lost_to_homes = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Scenario s(Scenario::Sizes(), seed);
    const size_t coordinator = s.home(0), absent = s.home(1), other = s.home(2), keeper = s.away(0);
    const auto block = [&](size_t a, size_t b, bool blocked) {
      s.cluster().SetBlocked(a, b, blocked);
      s.cluster().SetBlocked(b, a, blocked);
    };
    EXPECT_EQ(s.Do(coordinator, 'b', "INCR"), ":1\r\n");
    s.RunFor(3'000'000);
    s.cluster().CrashNode(absent, SIZE_MAX, 1000);
    s.RunFor(kNoticedUs);
    EXPECT_EQ(s.Do(coordinator, 'b', "INCR"), ":2\r\n");
    s.RunFor(3'000'000);
    block(coordinator, other, true);
    s.cluster().node(coordinator).StallSyncs(true);
    EXPECT_EQ(s.Do(coordinator, 'b', "INCR"), ":3\r\n");
    const causality::Dot lost{s.cluster().node(coordinator).actor(), 3};
    s.cluster().CrashNode(coordinator, 0, 1000);
    s.cluster().node(coordinator).StallSyncs(false);
    block(absent, keeper, true);
    s.RunFor(kNoticedUs);
    block(coordinator, other, false);
    s.cluster().StartNode(absent);
    s.cluster().StartNode(coordinator);
    s.RunFor(kNoticedUs);
    // A link may have outlived the cut with all that it held.
    if (ClockAt(&s, other).Covers(lost)) continue;
    ++lost_to_homes;
    EXPECT_EQ(s.Do(coordinator, 'b', "INCR"), ":3\r\n");
    s.RunFor(kNoticedUs);
    EXPECT_EQ(s.Do(coordinator, 'b', "INCR"), ":4\r\n");
    s.RunFor(kNoticedUs);
    block(absent, keeper, false);
    s.RunFor(kNoticedUs);
    s.Settle();
    EXPECT_EQ(s.Do(coordinator, 'b', "GET"), "$1\r\n5\r\n");
  }
  EXPECT_GT(lost_to_homes, 0u);
}

/// home(0) counts what no other home hears of, loses its power and what it counted last, and is back. The dot of that,
/// and the event; nullptr where a link has outlived the cut and delivered it after all.
std::pair<causality::Dot, causality::EventPtr> CountAndLose(Scenario* s) {
  const size_t coordinator = s->home(0);
  EXPECT_EQ(s->Do(coordinator, 'b', "INCR"), ":1\r\n");
  s->RunFor(3'000'000);
  s->Isolate({coordinator});
  s->Send(coordinator, 'b', "INCR");
  s->RunFor(10'000);
  const causality::Dot lost{s->cluster().node(coordinator).actor(), 2};
  const causality::Event* event = s->checkers().history().Find(s->slot(), lost);
  EXPECT_NE(event, nullptr);
  const causality::EventPtr bytes = causality::MakeEventPtr(*event);
  s->cluster().CrashNode(coordinator, 0, 1000);
  s->Isolate({coordinator}, false);
  s->RunFor(kNoticedUs);
  const bool heard = ClockAt(s, s->home(1)).Covers(lost) || ClockAt(s, s->home(2)).Covers(lost);
  s->cluster().StartNode(coordinator);
  return {lost, heard ? nullptr : bytes};
}

// Frames with what home(0) lost come to a home that has agreed to close the life, and to a member that keeps hints:
// nobody takes them, and the life is closed without.
TEST(ClosingScenario, WhatComesOfALifeThatIsBeingClosedIsRefused) {
  Options options = Scenario::Sizes();
  options.r = 1;
  std::unique_ptr<Scenario> scenario;
  std::pair<causality::Dot, causality::EventPtr> counted;
  for (uint64_t seed = 1; seed < 20 && counted.second == nullptr; ++seed) {
    scenario = std::make_unique<Scenario>(options, seed);
    counted = CountAndLose(scenario.get());
  }
  ASSERT_NE(counted.second, nullptr);
  Scenario& s = *scenario;
  const size_t coordinator = s.home(0), home = s.home(1), keeper = s.away(0);
  const auto deliver = [&](size_t node, const replication::Message& message) {
    SimNode& receiver = s.cluster().node(node);
    const NodeId from = s.cluster().node(s.away(1)).id();
    receiver.Run(s.slot() % receiver.loops(), [&] { receiver.ShardOf(s.slot()).OnMessage(from, message); });
  };
  const auto run_until_sealed = [&](size_t node) {
    const auto sealed = [&] {
      return s.cluster().node(node).ShardOf(s.slot()).context().seals.Forbids(s.slot(), counted.first);
    };
    for (int i = 0; i < 200'000 && !sealed() && s.cluster().Step(); ++i) continue;
    return sealed();
  };
  ASSERT_TRUE(run_until_sealed(home));
  deliver(home, replication::EventMessage{0, counted.second});
  EXPECT_FALSE(ClockAt(&s, home).Covers(counted.first));
  ASSERT_TRUE(run_until_sealed(keeper));
  deliver(keeper, replication::HintMessage{s.cluster().node(home).id(), 1, counted.second});
  s.RunFor(4 * kClosedWithinUs);
  EXPECT_TRUE(HasClosed(&s, coordinator, coordinator));
  EXPECT_EQ(s.Do(coordinator, 'b', "GET"), "$1\r\n1\r\n");
  s.Settle();
}

// An answer takes longer than a round has: the seals are lifted, and a later round closes the life.
TEST(ClosingScenario, ARoundThatRunsOutOfTimeIsBegunAnew) {
  Scenario s;
  EXPECT_EQ(s.Do(s.home(0), 'b', "INCR"), ":1\r\n");
  s.cluster().CrashNode(s.home(0), SIZE_MAX, 1000);
  s.RunFor(kNoticedUs);
  s.cluster().StartNode(s.home(0));
  ASSERT_TRUE(RunUntilFrame(&s, "| close? 2 ", 4 * kClosedWithinUs));
  s.cluster().network().SetSlow(s.home(1), s.home(0), 2'500'000);
  s.RunFor(3'000'000);
  EXPECT_FALSE(HasClosed(&s, s.home(0), s.home(0)));
  s.cluster().network().SetSlow(s.home(1), s.home(0), 0);
  s.RunFor(4 * kClosedWithinUs);
  EXPECT_TRUE(HasClosed(&s, s.home(0), s.home(0)));
  s.Settle();
}

}  // namespace
}  // namespace orrery::simulation

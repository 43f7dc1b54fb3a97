// Nodes that start anew: their earlier lives are closed, and the clocks of their slots stay short.

#include "orrery/storage/row_key.h"
#include "simulation/scenarios/scenario.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kNoticedUs = 6'000'000;
constexpr uint64_t kClosedWithinUs = 8'000'000;

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
  EXPECT_TRUE(storage::ReadStoredRow(s->cluster().node(node).StoreOf(s->slot()), s->slot(), row_key, &stored).ok());
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

// home(0) counts with only away(0) in reach, and loses power before anything is synced: what it counted last is left
// in away(0)'s hints alone, which is cut off from the other homes. All homes agree about the life that is over, and a
// member that is no home has its next event.
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

// Old disks took all that the homes had of a life, and the hint of its first event: no clock had the life, so nobody
// closed it, and the hint of its second event stayed for ever.
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

}  // namespace
}  // namespace orrery::simulation

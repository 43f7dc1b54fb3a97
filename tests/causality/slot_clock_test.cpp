#include "orrery/causality/slot_clock.h"

#include <gtest/gtest.h>

#include "causality/builders.h"

namespace orrery::causality {
namespace {

TEST(SlotClockTest, AFloorCoversEveryEndedLifeAndForgetsItsCounters) {
  SlotClock clock;
  clock.Advance({A(1, 1), 1});
  clock.Advance({A(1, 5), 1});
  clock.RaiseFloor(NodeId{1}, 5);
  EXPECT_TRUE(clock.Covers({A(1, 4), 1000}));
  EXPECT_TRUE(clock.Covers({A(1, 5), 1}));
  EXPECT_FALSE(clock.Covers({A(1, 5), 2}));
  EXPECT_EQ(clock.counters().entries().size(), 1u);
}

TEST(SlotClockTest, FloorsNeverFallAndSurviveAJoin) {
  SlotClock clock;
  clock.RaiseFloor(NodeId{1}, 5);
  clock.RaiseFloor(NodeId{1}, 3);
  SlotClock other = Clock({{A(1, 4), 9}, {A(2, 1), 1}});
  other.Join(clock);
  EXPECT_EQ(other.FloorOf(NodeId{1}), 5u);
  EXPECT_EQ(other.Get(A(1, 4)), 0u) << "closed by the floor that came with the join";
  EXPECT_EQ(other.Get(A(2, 1)), 1u);
}

TEST(SlotClockTest, ComparesEventsAndNotFloors) {
  SlotClock floors;
  floors.RaiseFloor(NodeId{7}, 2);
  EXPECT_TRUE(Clock({D(1, 1)}).CoversAll(floors));
  EXPECT_FALSE(floors.CoversAll(Clock({D(1, 1)})));
  EXPECT_TRUE(floors.CoversAll(Clock({D(7, 12)})));
}

TEST(SlotClockTest, ReadsBackWhatItWroteAndEqualClocksHashEqually) {
  SlotClock clock = Clock({D(3, 4), D(1, 2)});
  clock.RaiseFloor(NodeId{9}, 77);
  std::string bytes;
  Encoder out(&bytes);
  clock.Encode(&out);
  Decoder in(bytes);
  const SlotClock copy = SlotClock::Decode(&in);
  EXPECT_TRUE(in.done());
  EXPECT_EQ(copy, clock);
  EXPECT_EQ(copy.Hash(), clock.Hash());
  EXPECT_NE(clock.Hash(), Clock({D(3, 4), D(1, 2)}).Hash());
}

}  // namespace
}  // namespace orrery::causality

#include "orrery/replication/backlog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace orrery::replication {
namespace {

using causality::Actor;
using causality::Dot;
using causality::EventPtr;
using causality::SlotClock;

const Actor kA{NodeId{1}, 1};
const Actor kB{NodeId{2}, 1};

EventPtr MakeEvent(const Actor& actor, uint64_t counter) {
  causality::Event event;
  event.slot = 3;
  event.dot = {actor, counter};
  return causality::MakeEventPtr(event);
}

SlotClock Clock(uint64_t a, uint64_t b) {
  causality::VersionVector counters;
  if (a > 0) counters.Raise(kA, a);
  if (b > 0) counters.Raise(kB, b);
  SlotClock clock;
  clock.JoinCounters(counters);
  return clock;
}

std::vector<Dot> Dots(const std::vector<EventPtr>& events) {
  std::vector<Dot> dots;
  for (const EventPtr& event : events) dots.push_back(event->dot);
  return dots;
}

class BacklogTest : public ::testing::Test {
 protected:
  BacklogTest() {
    for (const auto& [actor, counter] : {std::pair{kA, 1}, {kB, 1}, {kA, 2}, {kA, 3}, {kB, 2}}) {
      backlog_.Append(MakeEvent(actor, static_cast<uint64_t>(counter)));
    }
  }
  Backlog backlog_;
};

TEST_F(BacklogTest, GivesWhatAPeerLacksInTheOrderOfApplication) {
  const auto events = backlog_.Since(Clock(1, 1), Clock(3, 2));
  ASSERT_TRUE(events.has_value());
  EXPECT_EQ(Dots(*events), (std::vector<Dot>{{kA, 2}, {kA, 3}, {kB, 2}}));
}

TEST_F(BacklogTest, GivesNothingToAPeerThatIsAhead) {
  const auto events = backlog_.Since(Clock(9, 9), Clock(3, 2));
  ASSERT_TRUE(events.has_value());
  EXPECT_TRUE(events->empty());
}

TEST_F(BacklogTest, SaysWhenItsEndIsNotEnough) {
  backlog_.DropOldest();
  EXPECT_FALSE(backlog_.Since(Clock(0, 0), Clock(3, 2)).has_value());
  EXPECT_TRUE(backlog_.Since(Clock(1, 0), Clock(3, 2)).has_value());
}

// After a merge the clock is ahead of what passed through the backlog.
TEST_F(BacklogTest, DoesNotTakeItsEndForTheClock) {
  EXPECT_FALSE(backlog_.Since(Clock(3, 2), Clock(4, 2)).has_value());
}

TEST_F(BacklogTest, AnEmptyBacklogServesOnlyThoseWhoLackNothing) {
  const Backlog empty;
  EXPECT_TRUE(empty.Since(Clock(1, 1), Clock(1, 1)).has_value());
  EXPECT_FALSE(empty.Since(Clock(1, 0), Clock(1, 1)).has_value());
}

TEST_F(BacklogTest, AClosedLifeIsNotLacking) {
  SlotClock closed = Clock(3, 0);
  closed.RaiseFloor(kB.node, 2);
  const auto events = backlog_.Since(closed, Clock(3, 2));
  ASSERT_TRUE(events.has_value());
  EXPECT_TRUE(events->empty());
}

TEST_F(BacklogTest, GivesOneActorsEventsOfARange) {
  const auto events = backlog_.Of(kA, 1, 3);
  ASSERT_TRUE(events.has_value());
  EXPECT_EQ(Dots(*events), (std::vector<Dot>{{kA, 2}, {kA, 3}}));
  EXPECT_FALSE(backlog_.Of(kA, 1, 4).has_value());
  backlog_.DropOldest();
  EXPECT_FALSE(backlog_.Of(kA, 0, 3).has_value());
}

TEST(BacklogBudgetTest, DropsTheOldestOfAllSlotsFirst) {
  BacklogBudget budget(30);
  for (const int slot : {5, 6, 5, 7}) budget.Added(static_cast<SlotId>(slot), 10);
  std::vector<SlotId> dropped;
  budget.Trim([&](SlotId slot) -> size_t {
    dropped.push_back(slot);
    return 10;
  });
  EXPECT_EQ(dropped, (std::vector<SlotId>{5}));
  EXPECT_EQ(budget.bytes(), 30u);
}

TEST(BacklogBudgetTest, WhatMustStayIsTriedAgainLater) {
  BacklogBudget budget(15);
  for (const int slot : {1, 2, 3}) budget.Added(static_cast<SlotId>(slot), 10);
  std::map<SlotId, int> tries;
  bool first_must_stay = true;
  const auto drop = [&](SlotId slot) -> size_t {
    ++tries[slot];
    return slot == 1 && first_must_stay ? 0 : 10;
  };
  budget.Trim(drop);
  EXPECT_EQ(budget.bytes(), 10u);
  EXPECT_EQ(tries[1], 1);
  first_must_stay = false;
  budget.Added(4, 10);
  budget.Trim(drop);
  EXPECT_EQ(tries[1], 2);
  EXPECT_EQ(budget.bytes(), 10u);
}

TEST(BacklogBudgetTest, AsksStepByStepForWhatItIsAboutToDrop) {
  constexpr SlotId kSlots = 100;
  BacklogBudget budget(0);
  for (SlotId slot = 0; slot < kSlots; ++slot) budget.Added(slot, 10);
  std::map<SlotId, std::vector<size_t>> steps;
  int unprepared = 0;
  const auto drop = [&](SlotId slot) -> size_t {
    unprepared += steps[slot].size() < BacklogBudget::kPrefetchSteps ? 1 : 0;
    return 10;
  };
  budget.Trim(drop, [&](SlotId slot, size_t step) { steps[slot].push_back(step); });
  EXPECT_EQ(budget.bytes(), 0u);
  for (const auto& [slot, of_slot] : steps)
    EXPECT_TRUE(std::is_sorted(of_slot.begin(), of_slot.end())) << slot;
  // Only the first ones, whose turn comes at once.
  EXPECT_LT(unprepared, 30);
  EXPECT_EQ(steps[kSlots - 1], (std::vector<size_t>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace orrery::replication

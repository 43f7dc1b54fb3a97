#include "orrery/replication/ended_lives.h"

#include <gtest/gtest.h>

#include "orrery/replication/closing_seals.h"

namespace orrery::replication {
namespace {

using causality::Actor;
using causality::Dot;
using causality::SlotClock;
using causality::VoidedSet;

constexpr NodeId kA{1}, kB{2}, kC{3};

SlotClock ClockOf(const std::vector<Dot>& dots) {
  SlotClock clock;
  for (const Dot& dot : dots) clock.Raise(dot);
  return clock;
}

NodeLives LivesOf(uint64_t a, uint64_t b) {
  NodeLives lives;
  lives.Learn(kA, a);
  lives.Learn(kB, b);
  return lives;
}

TEST(NodeLivesTest, OnlyLivesBeforeTheLatestThatTheNodeToldAreOver) {
  NodeLives lives = LivesOf(5, 1);
  lives.Learn(kA, 3);
  EXPECT_TRUE(lives.IsOver({kA, 4}));
  EXPECT_FALSE(lives.IsOver({kA, 5}));
  EXPECT_FALSE(lives.IsOver({kB, 1}));
  EXPECT_FALSE(lives.IsOver({kC, 1})) << "nobody has heard of it";
  lives.SetRemoved({kC});
  EXPECT_TRUE(lives.IsOver({kC, 1}));
}

TEST(NodeLivesTest, FindsEndedLivesInClockAndVoidedSet) {
  const NodeLives lives = LivesOf(5, 2);
  VoidedSet voided;
  EXPECT_TRUE(lives.FindEnded(ClockOf({{{kA, 5}, 7}, {{kB, 2}, 1}}), voided).empty());
  const EndedLives found = lives.FindEnded(ClockOf({{{kA, 3}, 9}, {{kA, 5}, 7}, {{kB, 2}, 1}}), voided);
  ASSERT_EQ(found.spans.size(), 1u);
  EXPECT_EQ(found.spans[0], (EndedLives::Span{kA, 0, 5}));
  EXPECT_EQ(found.counters.entries().size(), 1u);
  EXPECT_EQ(found.counters.Get({kA, 3}), 9u);
  voided.Add("row", {{{kB, 1}, 4}, causality::CellKind::kValue});
  EXPECT_EQ(lives.FindEnded(ClockOf({}), voided).spans[0], (EndedLives::Span{kB, 0, 2}));
}

TEST(NodeLivesTest, WhatIsClosedAlreadyIsNotFoundAgain) {
  const NodeLives lives = LivesOf(5, 2);
  SlotClock clock = ClockOf({{{kA, 5}, 7}});
  clock.RaiseFloor(kA, 5);
  EXPECT_TRUE(lives.FindEnded(clock, VoidedSet()).empty());
}

TEST(EndedLivesTest, AgreesOnlyWithTheSameCountersAboveTheSameFloor) {
  const EndedLives lives{{{kA, 2, 5}}, ClockOf({{{kA, 3}, 9}, {{kA, 4}, 1}}).counters()};
  SlotClock clock = ClockOf({{{kA, 3}, 9}, {{kA, 4}, 1}, {{kA, 5}, 6}, {{kB, 1}, 6}});
  EXPECT_FALSE(HasExactly(clock, lives)) << "it lacks the floor below";
  clock.RaiseFloor(kA, 2);
  EXPECT_TRUE(HasExactly(clock, lives));
  EXPECT_FALSE(HasClosed(clock, lives));
  SlotClock more = clock;
  more.Raise({{kA, 3}, 10});
  EXPECT_FALSE(HasExactly(more, lives));
  SlotClock another = clock;
  another.Raise({{kA, 2}, 1});
  EXPECT_FALSE(HasExactly(another, lives)) << "a life that the asker does not know";
  clock.RaiseFloor(kA, 5);
  EXPECT_FALSE(HasExactly(clock, lives));
  EXPECT_TRUE(HasClosed(clock, lives));
}

TEST(ClosingSealsTest, ForbidsWhatComesAfterTheAgreedCounters) {
  ClosingSeals seals;
  const EndedLives lives{{{kA, 0, 5}}, ClockOf({{{kA, 3}, 9}}).counters()};
  seals.Seal(7, kB, 1, lives);
  EXPECT_TRUE(seals.Stands(7, kB, 1));
  EXPECT_FALSE(seals.Stands(7, kC, 1));
  EXPECT_FALSE(seals.Forbids(7, Dot{{kA, 3}, 9}));
  EXPECT_TRUE(seals.Forbids(7, Dot{{kA, 3}, 10}));
  EXPECT_TRUE(seals.Forbids(7, Dot{{kA, 4}, 1})) << "a life of which nothing is known";
  EXPECT_FALSE(seals.Forbids(7, Dot{{kA, 5}, 1}));
  EXPECT_FALSE(seals.Forbids(8, Dot{{kA, 3}, 10}));
  EXPECT_TRUE(seals.Forbids(7, ClockOf({{{kA, 3}, 10}})));
  seals.Lift(7, kC, 1);
  seals.Lift(7, kB, 2);
  EXPECT_TRUE(seals.Stands(7, kB, 1));
  seals.Lift(7, kB, 1);
  EXPECT_FALSE(seals.Forbids(7, Dot{{kA, 3}, 10}));
}

TEST(ClosingSealsTest, ASealWhoseAskerIsLostEndsByItself) {
  ClosingSeals seals;
  seals.Seal(7, kB, 1, {{{kA, 0, 5}}, {}});
  for (unsigned i = 0; i < ClosingSeals::kTicks; ++i) seals.Tick();
  EXPECT_TRUE(seals.Stands(7, kB, 1));
  seals.Tick();
  EXPECT_FALSE(seals.Stands(7, kB, 1));
  EXPECT_EQ(seals.size(), 0u);
}

}  // namespace
}  // namespace orrery::replication

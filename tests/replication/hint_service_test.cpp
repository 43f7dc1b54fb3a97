#include "orrery/replication/hint_service.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "replication/seeds.h"
#include "replication/test_net.h"

namespace orrery::replication {
namespace {

using causality::Dot;
using causality::EventPtr;

constexpr uint64_t kSecond = 1'000'000;

/// Four nodes, three homes per slot: of the slot under test a coordinator, an absent home, another home, a
/// fallback.
class HintServiceTest : public ::testing::Test {
 protected:
  explicit HintServiceTest(const ShardOptions& options = {}) : net_(4, 3, options) {
    net_.Link(coordinator_.id.value, fallback_.id.value);
    net_.Settle();
  }

  /// The coordinator makes so many events; they are kept to be sent as the test likes.
  void Make(int count) {
    for (int i = 0; i < count; ++i) {
      made_.push_back(coordinator_.Set(slot_, "key" + std::to_string(made_.size()), "value"));
      coordinator_.slot(slot_).committed().Raise(made_.back()->dot);
    }
  }
  /// counter counts from 1.
  void Hint(uint64_t counter, uint64_t since) {
    coordinator_.Send(fallback_.id, HintMessage{home_.id, since, made_.at(counter - 1)});
  }
  uint64_t Kept() const {
    const auto& totals = fallback_.hints.totals();
    const auto it = totals.find(home_.id);
    return it == totals.end() ? 0 : it->second.count;
  }
  /// What the coordinator was last told: the counter, negative if it was refused.
  int64_t LastAck() const {
    if (coordinator_.hint_acks.empty()) return 0;
    const HintAckMessage& ack = coordinator_.hint_acks.back().second;
    const auto counter = static_cast<int64_t>(ack.upto.counter);
    return ack.refused ? -counter : counter;
  }

  TestNet net_;
  const SlotId slot_ = net_.SlotOf(4, false);
  TestNode& coordinator_ = net_.node(net_.Homes(slot_)[0]);
  TestNode& home_ = net_.node(net_.Homes(slot_)[1]);
  TestNode& other_home_ = net_.node(net_.Homes(slot_)[2]);
  TestNode& fallback_ = net_.node(4);
  std::vector<EventPtr> made_;
};

// ---- what a fallback acknowledges ----

TEST_F(HintServiceTest, KeepsEventsInOrderAndAcknowledgesOncePerTurn) {
  Make(5);
  for (uint64_t counter = 1; counter <= 5; ++counter) Hint(counter, 0);
  net_.Settle();
  ASSERT_EQ(coordinator_.hint_acks.size(), 1u);
  EXPECT_EQ(coordinator_.hint_acks[0].second.home, home_.id);
  EXPECT_EQ(LastAck(), 5);
  EXPECT_EQ(Kept(), 5u);
}

TEST_F(HintServiceTest, RefusesAnEventAfterAGap) {
  Make(3);
  Hint(1, 0);
  Hint(3, 0);
  net_.Settle();
  ASSERT_EQ(coordinator_.hint_acks.size(), 2u);
  EXPECT_EQ(coordinator_.hint_acks[0].second.upto.counter, 1u);
  EXPECT_FALSE(coordinator_.hint_acks[0].second.refused);
  EXPECT_EQ(LastAck(), -3);
  EXPECT_EQ(Kept(), 1u);
  EXPECT_EQ(fallback_.context.stats.hints_refused, 1u);
}

TEST_F(HintServiceTest, BeginsWhereTheCoordinatorSaysThatTheRestIsSafe) {
  Make(9);
  Hint(8, 7);
  Hint(9, 7);
  net_.Settle();
  EXPECT_EQ(LastAck(), 9);
}

TEST_F(HintServiceTest, WhatItKeepsIsNoAnswerToAnEarlierStart) {
  Make(9);
  Hint(7, 6);
  Hint(8, 6);
  net_.Settle();
  Hint(9, 3);  // another coordinator, which does not know that 4..6 are safe
  net_.Settle();
  EXPECT_EQ(LastAck(), -9);
  Hint(8, 3);
  net_.Settle();
  EXPECT_EQ(LastAck(), -8);
}

TEST_F(HintServiceTest, AHoleBelowTheStartingPointDoesNotMatter) {
  Make(9);
  Hint(1, 0);
  Hint(2, 0);
  Hint(6, 5);  // the coordinator knows that 3..5 are safe
  Hint(7, 5);
  net_.Settle();
  EXPECT_EQ(LastAck(), 7);
  EXPECT_EQ(Kept(), 4u);
  // But whoever needs them from 2 on does not get an acknowledgement.
  Hint(8, 2);
  net_.Settle();
  EXPECT_EQ(LastAck(), -8);
  Hint(8, 5);
  net_.Settle();
  EXPECT_EQ(LastAck(), 8);
}

TEST_F(HintServiceTest, AHoleThatIsFilledCountsNoMore) {
  Make(5);
  Hint(1, 0);
  Hint(4, 3);
  Hint(2, 0);
  Hint(3, 0);
  net_.Settle();
  Hint(5, 0);
  net_.Settle();
  EXPECT_EQ(LastAck(), 5);
}

TEST_F(HintServiceTest, DuplicatesAreAcknowledgedWithAllThatIsKept) {
  Make(4);
  for (uint64_t counter = 1; counter <= 4; ++counter) Hint(counter, 0);
  net_.Settle();
  Hint(2, 0);
  net_.Settle();
  EXPECT_EQ(LastAck(), 4);
  EXPECT_EQ(Kept(), 4u);
  EXPECT_EQ(fallback_.context.stats.hints_stored, 4u);
}

TEST_F(HintServiceTest, AHomeKeepsNoHintsForItself) {
  Make(1);
  coordinator_.Send(fallback_.id, HintMessage{fallback_.id, 0, made_[0]});
  net_.Settle();
  EXPECT_EQ(LastAck(), -1);
  EXPECT_FALSE(fallback_.hints.Keep(fallback_.id, made_[0]).ok());
  EXPECT_TRUE(fallback_.hints.totals().empty());
}

TEST_F(HintServiceTest, NothingIsAcknowledgedThatTheDiskRefused) {
  Make(1);
  net_.Settle();
  fallback_.database.FailWrites(Status::IoError("broken"));
  Hint(1, 0);
  net_.Settle();
  EXPECT_TRUE(coordinator_.hint_acks.empty());
}

class FullHintStoreTest : public HintServiceTest {
 protected:
  static ShardOptions Small() {
    ShardOptions options;
    options.hint_bytes_max = 500;
    return options;
  }
  FullHintStoreTest() : HintServiceTest(Small()) {}
};

TEST_F(FullHintStoreTest, RefusesAndDropsNothing) {
  Make(20);
  for (uint64_t counter = 1; counter <= 20; ++counter) Hint(counter, 0);
  net_.Settle();
  const uint64_t kept = Kept();
  EXPECT_GT(kept, 0u);
  EXPECT_LT(kept, 20u);
  ASSERT_EQ(coordinator_.hint_acks.size(), 2u);
  EXPECT_EQ(coordinator_.hint_acks[0].second.upto.counter, kept);
  EXPECT_EQ(LastAck(), -static_cast<int64_t>(kept + 1));
  net_.Pass(60 * kSecond);
  EXPECT_EQ(Kept(), kept);
}

// Whatever arrives in whatever order: an acknowledgement means that nothing is missing between since and it.
TEST_F(HintServiceTest, AnAcknowledgementNeverCoversAHole) {
  const uint64_t seed = TestSeed();
  runtime::SeededRandom random(seed);
  Make(60);
  for (int step = 0; step < 2000; ++step) {
    const uint64_t since = random.Below(60);
    const uint64_t counter = std::min<uint64_t>(60, since + 1 + random.Below(4));
    coordinator_.hint_acks.clear();
    Hint(counter, since);
    net_.Settle();
    ASSERT_EQ(coordinator_.hint_acks.size(), 1u);
    const HintAckMessage& ack = coordinator_.hint_acks[0].second;
    if (ack.refused) continue;
    ASSERT_GE(ack.upto.counter, counter);
    std::vector<uint64_t> kept;
    for (const EventPtr& event : fallback_.hints.Lacking(slot_, {})) kept.push_back(event->dot.counter);
    for (uint64_t n = since + 1; n <= ack.upto.counter; ++n) {
      ASSERT_TRUE(std::binary_search(kept.begin(), kept.end(), n)) << "step " << step << " counter " << n;
    }
  }
}

// ---- in place of a home at a quorum read ----

TEST_F(HintServiceTest, ComparesWhatItKeepsForAnyHome) {
  Make(4);
  Hint(1, 0);
  Hint(2, 0);
  net_.Settle();
  coordinator_.Send(fallback_.id, HintMessage{other_home_.id, 2, made_[2]});
  net_.Settle();
  EXPECT_EQ(fallback_.hints.HintClock(slot_).Get(coordinator_.context.self), 3u);
  causality::SlotClock clock;
  clock.Advance(made_[0]->dot);
  std::vector<uint64_t> lacking;
  for (const EventPtr& event : fallback_.hints.Lacking(slot_, clock)) lacking.push_back(event->dot.counter);
  EXPECT_EQ(lacking, (std::vector<uint64_t>{2, 3}));
  EXPECT_TRUE(fallback_.hints.Lacking(slot_, fallback_.hints.HintClock(slot_)).empty());
  EXPECT_TRUE(fallback_.hints.HintClock(static_cast<SlotId>(slot_ + 1)).empty());
}

// ---- handing over ----

TEST_F(HintServiceTest, AHomeThatIsBackGetsItsEventsAndTheHintsGo) {
  Make(30);
  for (uint64_t counter = 1; counter <= 30; ++counter) Hint(counter, 0);
  net_.Settle();
  net_.Link(home_.id.value, fallback_.id.value);
  net_.Pass(kSecond);
  EXPECT_EQ(home_.slot(slot_).clock(), coordinator_.slot(slot_).clock());
  EXPECT_EQ(home_.context.stats.events_early, 0u) << "oldest first";
  EXPECT_EQ(Kept(), 0u);
  EXPECT_EQ(fallback_.context.stats.hints_delivered, 30u);
}

TEST_F(HintServiceTest, MuchIsHandedOverInPieces) {
  const std::string large(200'000, 'x');
  for (int i = 0; i < 40; ++i) {
    made_.push_back(coordinator_.Set(slot_, "key", large));
    Hint(made_.size(), 0);
    net_.Settle();
  }
  net_.Link(home_.id.value, fallback_.id.value);
  net_.Step();
  net_.Step();
  net_.Step();
  EXPECT_LT(home_.Received<EventMessage>(), 10u);
  net_.Pass(kSecond / 2);  // far fewer ticks than pieces
  EXPECT_EQ(home_.slot(slot_).clock(), coordinator_.slot(slot_).clock());
  EXPECT_EQ(Kept(), 0u);
}

TEST_F(HintServiceTest, WhatFollowsAGapWaitsForTheOtherHomes) {
  Make(6);
  net_.Settle();
  Hint(5, 4);
  Hint(6, 4);
  net_.Settle();
  net_.Link(home_.id.value, fallback_.id.value);
  net_.Pass(kSecond);
  EXPECT_TRUE(home_.slot(slot_).clock().empty());
  EXPECT_EQ(home_.Received<EventMessage>(), 0u);
  EXPECT_EQ(Kept(), 2u);
  net_.Link(home_.id.value, coordinator_.id.value);
  net_.Pass(kSecond);
  EXPECT_EQ(home_.slot(slot_).clock(), coordinator_.slot(slot_).clock());
  EXPECT_EQ(Kept(), 0u);
}

TEST_F(HintServiceTest, AnInterruptedHandOverGoesOn) {
  Make(10);
  for (uint64_t counter = 1; counter <= 10; ++counter) Hint(counter, 0);
  net_.Settle();
  for (int i = 0; i < 5; ++i) {
    net_.Link(home_.id.value, fallback_.id.value);
    for (int steps = 0; steps < i; ++steps) net_.Step();
    net_.Unlink(home_.id.value, fallback_.id.value);
    net_.Pass(300'000);
  }
  net_.Link(home_.id.value, fallback_.id.value);
  net_.Pass(kSecond);
  EXPECT_EQ(home_.slot(slot_).clock(), coordinator_.slot(slot_).clock());
  EXPECT_EQ(Kept(), 0u);
}

TEST_F(HintServiceTest, AfterAHandOverTheRunGoesOnFromWhatTheHomeHas) {
  Make(4);
  Hint(1, 0);
  Hint(2, 0);
  net_.Settle();
  net_.Link(home_.id.value, fallback_.id.value);
  net_.Pass(kSecond);
  ASSERT_EQ(Kept(), 0u);
  net_.Unlink(home_.id.value, fallback_.id.value);
  Hint(3, 0);  // the coordinator did not hear what the home had
  net_.Settle();
  EXPECT_EQ(LastAck(), 3);
}

TEST_F(HintServiceTest, HintsStayUntilTheHomeHasThemOnDisk) {
  Make(1);
  Hint(1, 0);
  net_.Settle();
  const causality::SlotClock has = coordinator_.slot(slot_).clock();
  fallback_.hints.OnHintWant(home_.id, {slot_, has, {}});
  EXPECT_EQ(Kept(), 1u) << "in the home's memory only";
  fallback_.hints.OnHintWant(home_.id, {slot_, has, has});
  EXPECT_EQ(Kept(), 0u);
}

TEST_F(HintServiceTest, OwnEventsOfAFallbackThatCoordinatesReachTheHome) {
  const EventPtr event = fallback_.Set(slot_, "k", "v");
  ASSERT_TRUE(fallback_.hints.Keep(home_.id, event).ok());
  net_.Settle();
  net_.LinkAll();
  net_.Pass(30 * kSecond);
  for (TestNode* home : {&coordinator_, &home_, &other_home_}) {
    EXPECT_EQ(home->slot(slot_).clock().Get(fallback_.context.self), 1u);
  }
  EXPECT_EQ(Kept(), 0u);
}

// A node that was a home when the hint was made and is none now: W current homes must have it.
TEST_F(HintServiceTest, AHintForAFormerHomeGoesToTheCurrentOnes) {
  const NodeId former = NodeId{77};
  Make(1);
  ASSERT_TRUE(fallback_.hints.Keep(former, made_[0]).ok());
  fallback_.EndTurn();
  fallback_.hints.OnHintWant(coordinator_.id,
                             {slot_, coordinator_.slot(slot_).clock(), coordinator_.slot(slot_).clock()});
  EXPECT_EQ(fallback_.hints.totals().at(former).count, 1u) << "one home is not enough";
  net_.Link(home_.id.value, fallback_.id.value);
  net_.Pass(kSecond);
  EXPECT_EQ(home_.slot(slot_).clock(), coordinator_.slot(slot_).clock());
  EXPECT_TRUE(fallback_.hints.totals().empty());
}

TEST_F(HintServiceTest, OffersForManySlotsAreAllAnswered) {
  Make(0);
  std::vector<SlotId> slots;
  for (SlotId slot = 0; slot < kSlotCount; ++slot) {
    const auto homes = net_.Homes(slot);
    const bool ours = std::find(homes.begin(), homes.end(), home_.id.value) != homes.end();
    const bool theirs = std::find(homes.begin(), homes.end(), 4u) != homes.end();
    if (!ours || theirs) continue;
    slots.push_back(slot);
    ASSERT_TRUE(fallback_.hints.Keep(home_.id, fallback_.Set(slot, "k", "v")).ok());
  }
  fallback_.EndTurn();
  ASSERT_GT(slots.size(), HintDelivery::kOffersMax);
  net_.Link(home_.id.value, fallback_.id.value);
  net_.Pass(2 * kSecond);
  EXPECT_EQ(Kept(), 0u);
  for (const SlotId slot : slots) ASSERT_EQ(home_.slot(slot).clock().Get(fallback_.context.self), 1u);
}

}  // namespace
}  // namespace orrery::replication

#include "orrery/replication/catch_up.h"

#include <gtest/gtest.h>

#include "replication/random_history.h"
#include "replication/seeds.h"
#include "replication/test_net.h"

namespace orrery::replication {
namespace {

using causality::EventPtr;

constexpr SlotId kSlot = 42;
constexpr uint64_t kSecond = 1'000'000;

void ExpectSame(TestNode* a, TestNode* b, SlotId slot) {
  EXPECT_EQ(a->slot(slot).clock(), b->slot(slot).clock());
  EXPECT_TRUE(a->Rows(slot) == b->Rows(slot));
  EXPECT_EQ(a->slot(slot).digest(), b->slot(slot).digest());
  EXPECT_EQ(a->slot(slot).voided(), b->slot(slot).voided());
}

/// Two homes of every slot.
class CatchUpTest : public ::testing::Test {
 protected:
  void Fill(TestNode* node, int events) {
    for (int i = 0; i < events; ++i) node->Set(kSlot, "key" + std::to_string(i), "value");
  }
  TestNet net_{2, 2};
  TestNode& a_ = net_.node(1);
  TestNode& b_ = net_.node(2);
};

TEST_F(CatchUpTest, AnEventIsAppliedAndAcknowledgedAfterTheCommit) {
  net_.LinkAll();
  const EventPtr event = a_.Set(kSlot, "k", "v");
  a_.Send(b_.id, EventMessage{0, event});
  net_.Settle();
  ExpectSame(&a_, &b_, kSlot);
  ASSERT_EQ(a_.acks.size(), 1u);
  EXPECT_EQ(a_.acks[0].second.upto, event->dot);
  EXPECT_EQ(b_.advanced, 1u);
  EXPECT_EQ(a_.advanced, 0u) << "own events are not news";
}

TEST_F(CatchUpTest, OneAcknowledgementStandsForAllEventsOfATurn) {
  net_.LinkAll();
  for (int i = 0; i < 10; ++i) a_.Send(b_.id, EventMessage{0, a_.Set(kSlot, "k", std::to_string(i))});
  net_.Settle();
  ASSERT_EQ(a_.acks.size(), 1u);
  EXPECT_EQ(a_.acks[0].second.upto.counter, 10u);
}

TEST_F(CatchUpTest, ADuplicateIsAcknowledgedAgain) {
  net_.LinkAll();
  const EventPtr event = a_.Set(kSlot, "k", "v");
  for (int i = 0; i < 2; ++i) {
    a_.Send(b_.id, EventMessage{0, event});
    net_.Settle();
  }
  EXPECT_EQ(a_.acks.size(), 2u);
  EXPECT_EQ(b_.context.stats.events_duplicate, 1u);
  EXPECT_EQ(b_.context.stats.events_applied, 1u);
}

TEST_F(CatchUpTest, NothingIsAcknowledgedThatTheDiskRefused) {
  net_.LinkAll();
  const EventPtr event = a_.Set(kSlot, "k", "v");
  net_.Settle();
  b_.database.FailWrites(Status::Full("no space"));
  a_.Send(b_.id, EventMessage{0, event});
  net_.Settle();
  EXPECT_TRUE(a_.acks.empty());
}

TEST_F(CatchUpTest, AnEarlyEventIsNotAppliedAndTheGapIsAskedForOnce) {
  net_.LinkAll();
  Fill(&a_, 3);
  for (int i = 0; i < 5; ++i) a_.Send(b_.id, EventMessage{0, a_.Set(kSlot, "k", std::to_string(i))});
  net_.Settle();
  EXPECT_EQ(b_.context.stats.events_early, 5u);
  EXPECT_EQ(a_.Received<ClockMessage>(), 1u);
  EXPECT_EQ(b_.Received<BehindMessage>(), 0u);
  ExpectSame(&a_, &b_, kSlot);
}

TEST_F(CatchUpTest, APeerThatIsBackGetsBothSidesWritesFromTheBacklogs) {
  Fill(&a_, 20);
  b_.Set(kSlot, "key3", "of b");
  net_.Settle();
  net_.LinkAll();
  net_.Settle();
  ExpectSame(&a_, &b_, kSlot);
  EXPECT_EQ(a_.context.stats.merges_done + b_.context.stats.merges_done, 0u);
  ASSERT_FALSE(a_.acks.empty());
  EXPECT_EQ(a_.acks.back().second.upto, (causality::Dot{a_.context.self, 20}));
}

TEST_F(CatchUpTest, WhatIsInFlightIsNotSentTwice) {
  Fill(&a_, 10);
  net_.Settle();
  net_.LinkAll();
  for (int i = 0; i < 5; ++i) a_.catch_up.SendLacking(b_.id, kSlot, {});
  net_.Settle();
  EXPECT_EQ(b_.Received<EventMessage>(), 10u);
}

TEST_F(CatchUpTest, WhatWasNotTakenIsSentAgainAfterAWhile) {
  Fill(&a_, 10);
  net_.Settle();
  net_.LinkAll();
  net_.Settle();
  const size_t first = b_.Received<EventMessage>();
  a_.catch_up.SendLacking(b_.id, kSlot, {});
  net_.Settle();
  EXPECT_EQ(b_.Received<EventMessage>(), first);
  net_.Pass(2 * LackingSender::kPatienceUs);
  a_.catch_up.SendLacking(b_.id, kSlot, {});
  net_.Settle();
  EXPECT_EQ(b_.Received<EventMessage>(), 2 * first);
}

TEST_F(CatchUpTest, MuchLackingTravelsInRounds) {
  const std::string large(300'000, 'x');
  for (int i = 0; i < 20; ++i) a_.Set(kSlot, "key" + std::to_string(i), large);
  net_.Settle();
  net_.LinkAll();
  net_.Step();
  net_.Step();
  EXPECT_LT(b_.Received<EventMessage>(), 6u);
  net_.Settle();
  ExpectSame(&a_, &b_, kSlot);
  EXPECT_EQ(b_.context.stats.merges_done, 0u);
}

TEST_F(CatchUpTest, WhatIsTooMuchForOneTickFollowsInTheNext) {
  const std::string large(500'000, 'x');
  for (SlotId slot = 0; slot < 40; ++slot) a_.Set(slot, "k", large);
  net_.Settle();
  net_.LinkAll();
  net_.Settle();
  EXPECT_LT(b_.Received<EventMessage>(), 20u);
  net_.Pass(kSecond);
  EXPECT_EQ(b_.Received<EventMessage>(), 40u);
  for (SlotId slot = 0; slot < 40; ++slot) ExpectSame(&a_, &b_, slot);
}

TEST_F(CatchUpTest, MalformedEventsAreCountedAndNotAcknowledged) {
  net_.LinkAll();
  const EventPtr event = a_.Set(kSlot, "k", "v");
  const EventPtr cut =
      causality::EventPtrFromBytes(std::string_view(event->bytes).substr(0, event->bytes.size() - 1));
  ASSERT_NE(cut, nullptr);
  a_.Send(b_.id, EventMessage{0, cut});
  net_.Settle();
  EXPECT_EQ(b_.context.stats.bad_frames, 1u);
  EXPECT_TRUE(a_.acks.empty());
  EXPECT_TRUE(b_.slot(kSlot).clock().empty());
}

TEST_F(CatchUpTest, AntiEntropyFindsWhatNobodyAskedFor) {
  net_.LinkAll();
  net_.Settle();
  Fill(&a_, 3);
  b_.Set(kSlot, "other", "v");
  net_.Pass(3 * a_.context.options.anti_entropy_interval_us);
  ExpectSame(&a_, &b_, kSlot);
  EXPECT_EQ(a_.context.stats.digest_mismatches, 0u);
}

TEST_F(CatchUpTest, EqualClocksWithOtherRowsAreReported) {
  net_.LinkAll();
  Fill(&a_, 1);
  net_.Pass(2 * a_.context.options.anti_entropy_interval_us);
  ExpectSame(&a_, &b_, kSlot);
  SummaryMessage summary;
  summary.entries.push_back({kSlot, a_.slot(kSlot).clock().Hash(), a_.slot(kSlot).digest() + 1});
  for (int i = 0; i < 2; ++i) {
    a_.Send(b_.id, summary);
    net_.Settle();
  }
  EXPECT_EQ(b_.context.stats.digest_mismatches, 2u);
  EXPECT_EQ(b_.logged.size(), 1u);
}

TEST_F(CatchUpTest, CommittedCountersComeWithTheEvents) {
  net_.LinkAll();
  const EventPtr first = a_.Set(kSlot, "k", "1");
  const EventPtr second = a_.Set(kSlot, "k", "2");
  a_.Send(b_.id, EventMessage{0, first});
  a_.Send(b_.id, EventMessage{1, second});
  net_.Settle();
  EXPECT_EQ(b_.slot(kSlot).committed().Get(a_.context.self), 1u);
}

TEST(CatchUpHomesTest, OnlyHomesApply) {
  TestNet net(4, 3);
  net.LinkAll();
  TestNode& stranger = net.node(4);
  const SlotId slot = net.SlotOf(4, false);
  TestNode& home = net.node(net.Homes(slot)[0]);
  home.Send(stranger.id, EventMessage{0, home.Set(slot, "k", "v")});
  net.Settle();
  EXPECT_TRUE(stranger.slot(slot).clock().empty());
  EXPECT_EQ(stranger.context.stats.events_foreign, 1u);
  EXPECT_TRUE(home.acks.empty());
}

// Three homes write on all sides of links that come and go; healed, all is the same.
TEST(CatchUpConvergenceTest, HomesConvergeAfterRandomPartitions) {
  const uint64_t seed = TestSeed();
  uint64_t merges = 0;
  for (uint64_t round = 0; round < 30; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    runtime::SeededRandom random(seed + round);
    ShardOptions options;
    options.backlog_bytes_max = 500 + random.Below(3000);  // often too short, so that slots merge
    options.merge_part_bytes = 50 + random.Below(500);
    TestNet net(3, 3, options);
    for (int step = 0; step < 300; ++step) {
      const uint64_t a = 1 + random.Below(3);
      const uint64_t b = 1 + random.Below(3);
      TestNode& node = net.node(a);
      const auto slot = static_cast<SlotId>(random.Below(2));
      switch (random.Below(8)) {
        case 0:
          if (a != b && !node.context.linked.contains(NodeId{b})) net.Link(a, b);
          break;
        case 1:
          if (a != b && node.context.linked.contains(NodeId{b}) && random.Below(2) == 0) net.Unlink(a, b);
          break;
        case 2:
          net.Step();
          break;
        case 3:
          net.Pass(100'000);
          break;
        default: {
          if (node.catch_up.Merging(slot)) break;
          const EventPtr event =
              node.Set(slot, "key" + std::to_string(random.Below(5)), std::to_string(step));
          // As if W nodes had it, so that the backlog may drop it.
          node.slot(slot).committed().Raise(event->dot);
          for (uint64_t peer = 1; peer <= 3; ++peer) {
            if (peer != a && random.Below(4) > 0) node.Send(NodeId{peer}, EventMessage{0, event});
          }
        }
      }
    }
    net.LinkAll();
    net.Pass(3 * options.anti_entropy_interval_us);
    for (SlotId slot = 0; slot < 2; ++slot) {
      for (uint64_t other = 2; other <= 3; ++other) ExpectSame(&net.node(1), &net.node(other), slot);
      EXPECT_TRUE(net.node(1).slot(slot).voided().empty());
      EXPECT_FALSE(net.node(1).catch_up.Merging(slot));
    }
    for (uint64_t node = 1; node <= 3; ++node) {
      EXPECT_EQ(net.node(node).context.stats.digest_mismatches, 0u);
      EXPECT_EQ(net.node(node).context.stats.bad_frames, 0u);
      merges += net.node(node).context.stats.merges_done;
    }
  }
  EXPECT_GT(merges, 0u) << "the backlogs were meant to be too short";
}

}  // namespace
}  // namespace orrery::replication

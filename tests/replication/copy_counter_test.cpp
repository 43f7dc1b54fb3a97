#include "orrery/replication/copy_counter.h"

#include <gtest/gtest.h>

#include <optional>

#include "replication/test_net.h"

namespace orrery::replication {
namespace {

using causality::EventPtr;

/// Five nodes, three of which are homes of the slot; W is 2.
class CopyCounterTest : public ::testing::Test {
 protected:
  CopyCounterTest() { net_.LinkAll(); }

  TestNode& home(size_t i) { return net_.node(net_.Homes(kSlot)[i]); }
  TestNode& fallback() { return net_.node(net_.Fallback(kSlot)); }
  void Give(TestNode& from, TestNode& to, const EventPtr& event) { from.Send(to.id, EventMessage{0, event}); }

  /// What the node says within 400 ms; nothing, if nothing.
  std::optional<uint64_t> Copies(TestNode& asked, uint64_t replicas, uint64_t timeout_ms = 0) {
    told_.reset();
    given_up_ = std::make_shared<std::atomic<bool>>(false);
    asked.copies.Await({kSlot}, replicas, timeout_ms, given_up_, [this](uint64_t copies) { told_ = copies; });
    net_.Settle();
    net_.Pass(400'000);
    return told_;
  }

  static constexpr SlotId kSlot = 7;
  TestNet net_{5};
  std::optional<uint64_t> told_;
  std::shared_ptr<std::atomic<bool>> given_up_;
};

TEST_F(CopyCounterTest, CountsOtherHomesWhoeverIsAsked) {
  const EventPtr event = home(0).Set(kSlot, "k", "v");
  Give(home(0), home(1), event);
  net_.Settle();
  for (uint64_t node = 1; node <= 5; ++node) EXPECT_EQ(Copies(net_.node(node), 1), 1u) << node;
  Give(home(0), home(2), event);
  net_.Settle();
  for (uint64_t node = 1; node <= 5; ++node) EXPECT_EQ(Copies(net_.node(node), 2), 2u) << node;
}

TEST_F(CopyCounterTest, WaitsUntilTheHomesHaveIt) {
  net_.Unlink(home(0).id.value, home(2).id.value);
  net_.Unlink(home(1).id.value, home(2).id.value);
  const EventPtr event = home(0).Set(kSlot, "k", "v");
  Give(home(0), home(1), event);
  net_.Settle();
  EXPECT_EQ(Copies(fallback(), 2), std::nullopt);
  net_.LinkAll();
  net_.Pass(1'000'000);
  EXPECT_EQ(told_, 2u);
}

TEST_F(CopyCounterTest, SaysHowManyThereAreWhenTheTimeIsUp) {
  net_.Unlink(home(0).id.value, home(2).id.value);
  net_.Unlink(home(1).id.value, home(2).id.value);
  Give(home(0), home(1), home(0).Set(kSlot, "k", "v"));
  net_.Settle();
  EXPECT_EQ(Copies(fallback(), 2, 100), 1u);
}

// The home that ran the write is away, another one coordinates now. Only one of them has what it wrote.
TEST_F(CopyCounterTest, OneThatWasBackBeforeTheOthersWriteIsNoCopy) {
  Give(home(0), home(1), home(0).Set(kSlot, "old", "v"));
  net_.Settle();
  home(1).Set(kSlot, "new", "v");
  EXPECT_EQ(Copies(home(1), 0), 0u);
  EXPECT_EQ(Copies(fallback(), 0), 0u);
}

// Both homes that could tell of a write are away; the hint of one of them tells.
TEST_F(CopyCounterTest, WhatIsHintedHasToBeOnTheHomesToo) {
  const EventPtr event = home(0).Set(kSlot, "k", "v");
  home(0).Send(fallback().id, HintMessage{home(1).id, 0, event});
  net_.Unlink(fallback().id.value, home(1).id.value);
  net_.Settle();
  for (uint64_t node = 1; node <= 5; ++node) {
    if (NodeId{node} != home(0).id) net_.Unlink(home(0).id.value, node);
  }
  EXPECT_EQ(Copies(fallback(), 0), 0u);
  EXPECT_EQ(Copies(fallback(), 1, 100), 0u);
}

TEST_F(CopyCounterTest, NothingIsKnownWithTooFewHomes) {
  Give(home(0), home(1), home(0).Set(kSlot, "k", "v"));
  net_.Settle();
  TestNode& asked = fallback();
  for (size_t i = 1; i < 3; ++i) net_.Unlink(asked.id.value, home(i).id.value);
  EXPECT_EQ(Copies(asked, 1, 150), 0u);
}

TEST_F(CopyCounterTest, NobodyIsToldWhoHasGivenUp) {
  home(0).Set(kSlot, "k", "v");
  EXPECT_EQ(Copies(fallback(), 3), std::nullopt);
  *given_up_ = true;
  net_.Pass(1'000'000);
  EXPECT_EQ(told_, std::nullopt);
  const size_t asked = home(1).Received<ClockAskMessage>();
  net_.Pass(1'000'000);
  EXPECT_EQ(home(1).Received<ClockAskMessage>(), asked);
}

}  // namespace
}  // namespace orrery::replication

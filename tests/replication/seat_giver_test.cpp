#include "orrery/replication/seat_giver.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "replication/test_net.h"

namespace orrery::replication {
namespace {

/// The first of four nodes, which was there alone when the data came: it is to give each slot two or three seats.
class SeatGiverTest : public testing::Test, private runtime::Transport {
 protected:
  SeatGiverTest() {
    context_.hybrid = &hybrid_;
    context_.outbox = &outbox_;
    context_.seats.SetFounders(std::make_shared<const ring::Ring>(ring::Ring::Build({{NodeId{1}, 1, "", 0}}, 3)));
    net_.LinkAll();
  }
  void Send(NodeId, std::string frame) override { frames_.push_back(std::move(frame)); }

  void Ask(NodeId taker, uint8_t index, uint64_t version) {
    giver_.OnAsk(taker, SeatAskMessage{slot_, index, version, context_.slots->At(slot_).clock()});
  }
  void Tick() {
    net_.clock.Advance(100'000);
    context_.pace.Tick(net_.clock.MonotonicUs(), true);
    giver_.Tick(net_.clock.MonotonicUs());
    coordinator_.BeforeCommit();
    giver_.BeforeCommit();
    coordinator_.AfterCommit();
    giver_.AfterCommit();
  }

  TestNet net_{4};
  ShardContext& context_ = net_.node(1).context;
  causality::HybridClock hybrid_{300'000};
  Outbox outbox_{this};
  Coordinator coordinator_{&context_, &net_.node(1).catch_up, &net_.node(1).hints};
  SeatBook book_{&context_, nullptr};
  SeatGiver giver_{&context_, &net_.node(1).catch_up, &coordinator_, &book_};
  std::vector<std::string> frames_;
  /// The ring does not want the first node there: its own seat goes, and two new ones.
  const SlotId slot_ = net_.SlotOf(1, false);
  const std::vector<NodeId> wanted_{net_.view->ring->Homes(slot_).begin(), net_.view->ring->Homes(slot_).end()};
};

TEST_F(SeatGiverTest, GivesItsSeatToWhomTheRingWants) {
  Ask(wanted_[0], 0, 0);
  Tick();
  const Seat seat = context_.seats.SeatAt(slot_, 0);
  EXPECT_EQ(seat.owner, wanted_[0]);
  EXPECT_EQ(seat.version, 1u);
  EXPECT_EQ(seat.giver, NodeId{1});
  EXPECT_FALSE(seat.in_service);
}

// Whoever asked last before a tick took the place of the one who asked for another seat of the slot, in every tick: here
// the one whose turn has not come, since seats are added one at a time.
TEST_F(SeatGiverTest, TwoThatAskAtOnePaceDoNotTakeEachOthersPlace) {
  for (int i = 0; i < 3; ++i) {
    Ask(wanted_[0], 0, 0);
    Ask(wanted_[2], 2, 0);
    Tick();
  }
  EXPECT_EQ(context_.seats.SeatAt(slot_, 0).owner, wanted_[0]);
  EXPECT_FALSE(context_.seats.SeatAt(slot_, 2).owner);
}

TEST_F(SeatGiverTest, AnotherSeatWaitsUntilTheFirstOneIsInService) {
  Ask(wanted_[0], 0, 0);
  Tick();
  Ask(wanted_[1], 1, 0);
  Tick();
  EXPECT_FALSE(context_.seats.SeatAt(slot_, 1).owner);
}

}  // namespace
}  // namespace orrery::replication

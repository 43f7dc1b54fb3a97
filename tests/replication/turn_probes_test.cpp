#include "orrery/replication/turn_probes.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace orrery::replication {
namespace {

const NodeId kPeer{2};
const NodeId kOther{3};

/// Keeps the questions that were sent, by whom they were sent to.
class TurnProbesTest : public testing::Test, private runtime::Transport {
 protected:
  void EndTurn() {
    probes_.Send(1, 2, now_us_, &outbox_);
    outbox_.FlushNow(0, 0);
  }
  std::vector<SlotId> SlotsOf(NodeId peer, uint64_t id) {
    std::vector<SlotId> slots;
    for (const auto& asked : probes_.Take(peer, id)) slots.push_back(asked.slot);
    return slots;
  }

  TurnProbes probes_;
  uint64_t now_us_ = 1'000'000;
  std::map<NodeId, std::vector<TurnProbeMessage>> sent_;

 private:
  void Send(NodeId peer, std::string frame) override {
    FrameReader reader(frame);
    Message message;
    while (reader.Next(&message)) sent_[peer].push_back(std::get<TurnProbeMessage>(message));
  }
  Outbox outbox_{this};
};

TEST_F(TurnProbesTest, ASlotJoinsUnderThePeersPresentCountOnly) {
  EXPECT_FALSE(probes_.MayJoin(kPeer, 7));
  probes_.Learn(kPeer, 7);
  EXPECT_TRUE(probes_.MayJoin(kPeer, 7));
  EXPECT_FALSE(probes_.MayJoin(kPeer, 9));
  EXPECT_FALSE(probes_.MayJoin(kPeer, 0));
  EXPECT_FALSE(probes_.MayJoin(kOther, 7));
  probes_.Learn(kPeer, 9);
  EXPECT_FALSE(probes_.MayJoin(kPeer, 7));
  probes_.Forget(kPeer);
  EXPECT_FALSE(probes_.MayJoin(kPeer, 9));
}

TEST_F(TurnProbesTest, AllReadsOfATurnShareOneQuestionToAPeer) {
  probes_.Join(kPeer, 5, 1);
  probes_.Want(kPeer);
  probes_.Join(kPeer, 6, 4);
  probes_.Join(kOther, 5, 1);
  EndTurn();
  ASSERT_EQ(sent_[kPeer].size(), 1u);
  ASSERT_EQ(sent_[kOther].size(), 1u);
  EXPECT_EQ(sent_[kPeer][0].loop, 1);
  EXPECT_EQ(sent_[kPeer][0].loops, 2);
  EXPECT_EQ(SlotsOf(kPeer, sent_[kPeer][0].id), (std::vector<SlotId>{5, 6}));
  EXPECT_EQ(SlotsOf(kOther, sent_[kOther][0].id), (std::vector<SlotId>{5}));
}

TEST_F(TurnProbesTest, WithoutReadsNobodyIsAsked) {
  probes_.Want(kPeer);
  EndTurn();
  EndTurn();
  ASSERT_EQ(sent_[kPeer].size(), 1u);
  EXPECT_TRUE(SlotsOf(kPeer, sent_[kPeer][0].id).empty());
}

TEST_F(TurnProbesTest, AnAnswerTellsOfItsOwnQuestionOnly) {
  for (const SlotId slot : std::vector<SlotId>{1, 2, 3}) {
    probes_.Join(kPeer, slot, 1);
    EndTurn();
    now_us_ += TurnProbes::kShareUs;
  }
  const auto& asked = sent_[kPeer];
  EXPECT_EQ(SlotsOf(kPeer, asked[1].id), (std::vector<SlotId>{2}));
  EXPECT_TRUE(SlotsOf(kPeer, asked[0].id).empty()) << "passed over: its slots ask again";
  EXPECT_TRUE(SlotsOf(kPeer, asked[1].id).empty()) << "answered twice";
  EXPECT_TRUE(SlotsOf(kOther, asked[2].id).empty()) << "of another peer";
  EXPECT_TRUE(SlotsOf(kPeer, asked[2].id + 1).empty()) << "never asked";
}

TEST_F(TurnProbesTest, WhatComesWhileAQuestionIsUnderWaySharesTheNextOne) {
  probes_.Join(kPeer, 1, 1);
  EndTurn();
  for (const SlotId slot : std::vector<SlotId>{2, 3}) {
    probes_.Join(kPeer, slot, 1);
    probes_.Want(kPeer);
    EndTurn();
  }
  // Each peer is asked for itself.
  probes_.Join(kOther, 4, 1);
  EndTurn();
  ASSERT_EQ(sent_[kPeer].size(), 1u);
  ASSERT_EQ(sent_[kOther].size(), 1u);
  EXPECT_EQ(SlotsOf(kPeer, sent_[kPeer][0].id), (std::vector<SlotId>{1}));
  EndTurn();
  ASSERT_EQ(sent_[kPeer].size(), 2u);
  EXPECT_EQ(SlotsOf(kPeer, sent_[kPeer][1].id), (std::vector<SlotId>{2, 3}));
  EndTurn();
  EXPECT_EQ(sent_[kPeer].size(), 2u);
}

TEST_F(TurnProbesTest, NothingWaitsLongForAnAnswerToShare) {
  probes_.Join(kPeer, 1, 1);
  EndTurn();
  probes_.Join(kPeer, 2, 1);
  now_us_ += TurnProbes::kShareUs - 1;
  EndTurn();
  ASSERT_EQ(sent_[kPeer].size(), 1u);
  now_us_ += 1;
  EndTurn();
  ASSERT_EQ(sent_[kPeer].size(), 2u);
  EXPECT_EQ(SlotsOf(kPeer, sent_[kPeer][1].id), (std::vector<SlotId>{2}));
}

TEST_F(TurnProbesTest, WhatALostPeerWasAskedIsForgotten) {
  probes_.Join(kPeer, 1, 1);
  EndTurn();
  probes_.Join(kPeer, 2, 1);
  probes_.Forget(kPeer);
  EndTurn();
  ASSERT_EQ(sent_[kPeer].size(), 1u);
  EXPECT_TRUE(SlotsOf(kPeer, sent_[kPeer][0].id).empty());
}

}  // namespace
}  // namespace orrery::replication

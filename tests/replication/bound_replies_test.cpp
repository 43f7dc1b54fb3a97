#include "orrery/replication/bound_replies.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "replication/test_net.h"

namespace orrery::replication {
namespace {

/// Replies that the second node made for clients of the first one; what the first one sends stays here.
class BoundRepliesTest : public testing::Test, private runtime::Transport {
 protected:
  BoundRepliesTest() {
    context_.outbox = &outbox_;
    net_.LinkAll();
  }
  void Send(NodeId /*peer*/, std::string frame) override { frames_.push_back(std::move(frame)); }

  causality::EventPtr Made(const std::string& value) { return net_.node(2).Set(slot_, "k", value); }
  void Arrive(const causality::EventPtr& event) {
    net_.node(1).catch_up.OnEvent(maker_, EventMessage{0, event});
  }
  void Add(uint64_t request_id, const causality::Dot& after) {
    bound_.Add(slot_, request_id, maker_, after, {Outcome::kReply, "+OK\r\n"});
  }
  void Tick() {
    bound_.OnTick([this](uint64_t request_id) { return request_id != forgotten_; });
  }
  std::vector<CommitAskMessage> Asked() {
    outbox_.FlushNow(0, 0);
    std::vector<CommitAskMessage> asked;
    for (const std::string& frame : frames_) {
      FrameReader reader(frame);
      for (Message message; reader.Next(&message);) {
        if (const auto* ask = std::get_if<CommitAskMessage>(&message)) asked.push_back(*ask);
      }
    }
    frames_.clear();
    return asked;
  }

  TestNet net_{3};
  ShardContext& context_ = net_.node(1).context;
  Outbox outbox_{this};
  const SlotId slot_ = net_.SlotOf(1, true);
  const NodeId maker_{2};
  BoundReplies bound_{&context_};
  uint64_t forgotten_ = 0;
  std::vector<std::string> frames_;
  std::vector<uint64_t> shown_;
  const BoundReplies::Show show_ = [this](uint64_t request_id, const Response& response) {
    EXPECT_EQ(response.reply, "+OK\r\n");
    EXPECT_EQ(response.after, 0u);
    shown_.push_back(request_id);
  };
};

TEST_F(BoundRepliesTest, AReplyIsShownInTheTurnThatItsEventIsCommittedIn) {
  const auto event = Made("v");
  Arrive(event);
  Add(7, event->dot);
  EXPECT_TRUE(shown_.empty());
  bound_.AfterCommit({slot_}, show_);
  EXPECT_EQ(shown_, std::vector<uint64_t>{7});
  EXPECT_EQ(context_.stats.replies_bound, 1u);
}

TEST_F(BoundRepliesTest, AReplyThatOvertookItsEventWaitsForIt) {
  const auto first = Made("1");
  const auto second = Made("2");
  Add(7, first->dot);
  Add(8, second->dot);
  bound_.AfterCommit({}, show_);
  Arrive(first);
  bound_.AfterCommit({slot_}, show_);
  EXPECT_EQ(shown_, std::vector<uint64_t>{7});
  bound_.AfterCommit({}, show_);
  Arrive(second);
  bound_.AfterCommit({slot_}, show_);
  EXPECT_EQ(shown_, (std::vector<uint64_t>{7, 8}));
  Tick();
  Tick();
  EXPECT_TRUE(Asked().empty());
}

TEST_F(BoundRepliesTest, WhereTheEventDoesNotComeItsCoordinatorIsAsked) {
  const auto first = Made("1");
  const auto second = Made("2");
  Add(7, first->dot);
  Add(8, second->dot);
  bound_.AfterCommit({}, show_);
  Tick();
  EXPECT_TRUE(Asked().empty()) << "it may be on its way";
  Tick();
  const auto asked = Asked();
  ASSERT_EQ(asked.size(), 1u) << "one question does for both";
  EXPECT_EQ(asked[0].slot, slot_);
  EXPECT_EQ(asked[0].upto, second->dot);
  bound_.OnCommitTell({slot_, {{maker_, 99}, 5}}, show_);
  EXPECT_TRUE(shown_.empty()) << "that is another life's";
  bound_.OnCommitTell({slot_, first->dot}, show_);
  EXPECT_EQ(shown_, std::vector<uint64_t>{7});
  Tick();
  EXPECT_EQ(Asked().size(), 1u);
}

TEST_F(BoundRepliesTest, WhatNobodyWaitsForAnyMoreIsForgotten) {
  const auto event = Made("v");
  Add(7, event->dot);
  bound_.AfterCommit({}, show_);
  forgotten_ = 7;
  Tick();
  Tick();
  EXPECT_TRUE(Asked().empty());
  Arrive(event);
  bound_.AfterCommit({slot_}, show_);
  EXPECT_TRUE(shown_.empty());
}

}  // namespace
}  // namespace orrery::replication

#include "orrery/replication/router.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "replication/test_net.h"

namespace orrery::replication {
namespace {

/// The router of the first of some nodes; what it sends stays here.
class RouterTest : public testing::Test, private runtime::Transport {
 protected:
  explicit RouterTest(size_t nodes = 3) : net_(nodes) {
    context_.hybrid = &hybrid_;
    context_.outbox = &outbox_;
    net_.LinkAll();
  }
  void Send(NodeId peer, std::string frame) override { frames_[peer].push_back(std::move(frame)); }

  /// A slot that another node coordinates.
  SlotId ForeignSlot() const {
    for (SlotId slot = 0; slot < kSlotCount; ++slot) {
      if (net_.view->ring->Coordinator(slot) != NodeId{1}) return slot;
    }
    return 0;
  }
  /// From the third node, so many milliseconds ago.
  ForwardMessage Forwarded(uint64_t age_ms) const {
    ForwardMessage message;
    message.request_id = 9;
    message.hops = 1;
    message.request.slot = ForeignSlot();
    message.request.traits = {false, true, true, true};
    message.request.sent_ms = net_.clock.MonotonicUs() / 1000 - age_ms;
    message.request.args = Arguments({"SET", "k", "v"});
    return message;
  }
  /// All messages of one kind that were sent to the node.
  template <typename M>
  std::vector<M> SentTo(NodeId peer) {
    outbox_.FlushNow(0, 0);
    outbox_.FlushDurable(0, 0);
    std::vector<M> sent;
    for (const std::string& frame : frames_[peer]) {
      FrameReader reader(frame);
      for (Message message; reader.Next(&message);) {
        if (const auto* wanted = std::get_if<M>(&message)) sent.push_back(*wanted);
      }
    }
    return sent;
  }

  TestNet net_;
  ShardContext& context_ = net_.node(1).context;
  causality::HybridClock hybrid_{300'000};
  Outbox outbox_{this};
  Coordinator coordinator_{&context_, &net_.node(1).catch_up, &net_.node(1).hints};
  Router router_{&context_, &coordinator_, nullptr};
  std::map<NodeId, std::vector<std::string>> frames_;
};

TEST_F(RouterTest, ARelayPassesARequestOnAsOldAsItIs) {
  router_.OnForward(NodeId{3}, Forwarded(200));
  const auto sent = SentTo<ForwardMessage>(net_.view->ring->Coordinator(ForeignSlot()));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].hops, 2);
  EXPECT_EQ(sent[0].age_ms, 200u);
}

TEST_F(RouterTest, ARelayDoesNotPassOnWhatItsSenderMayHaveGivenUp) {
  router_.OnForward(NodeId{3}, Forwarded(context_.options.forward_age_max_ms + 1));
  EXPECT_TRUE(SentTo<ForwardMessage>(net_.view->ring->Coordinator(ForeignSlot())).empty());
  router_.TellEnded();
  const auto replies = SentTo<ForwardReplyMessage>(NodeId{3});
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].request_id, 9u);
  EXPECT_EQ(replies[0].response.outcome, Outcome::kNotHere);
}

TEST_F(RouterTest, ALargeRequestMayBeOlder) {
  ForwardMessage message = Forwarded(context_.options.forward_age_max_ms + 500);
  message.request.args = Arguments({"SET", "k", std::string(16 << 20, 'v')});
  router_.OnForward(NodeId{3}, std::move(message));
  EXPECT_EQ(SentTo<ForwardMessage>(net_.view->ring->Coordinator(ForeignSlot())).size(), 1u);
}

TEST_F(RouterTest, ARequestThatGrowsOldWhileItWaitsForACoordinatorIsGivenBack) {
  router_.OnForward(NodeId{3}, Forwarded(0));
  const NodeId coordinator = net_.view->ring->Coordinator(ForeignSlot());
  const auto sent = SentTo<ForwardMessage>(coordinator);
  ASSERT_EQ(sent.size(), 1u);
  router_.OnForwardReply(coordinator, {sent[0].request_id, {Outcome::kNotHere, ""}});
  net_.clock.Advance((context_.options.forward_age_max_ms + 100) * 1000);
  router_.OnTick(net_.clock.MonotonicUs());
  router_.TellEnded();
  EXPECT_EQ(SentTo<ForwardMessage>(coordinator).size(), 1u);
  ASSERT_EQ(SentTo<ForwardReplyMessage>(NodeId{3}).size(), 1u);
  EXPECT_EQ(SentTo<ForwardReplyMessage>(NodeId{3})[0].response.outcome, Outcome::kNotHere);
}

TEST_F(RouterTest, ARequestOfOurOwnClientNeverGrowsOld) {
  Request request = Forwarded(0).request;
  request.sent_ms = 0;
  router_.Submit(request, [](Response) {});
  const auto sent = SentTo<ForwardMessage>(net_.view->ring->Coordinator(ForeignSlot()));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].age_ms, 0u);
}

TEST_F(RouterTest, TakesTheReplyOfTheNodeThatItAskedAlone) {
  const NodeId coordinator = net_.view->ring->Coordinator(ForeignSlot());
  int replies = 0;
  router_.Submit(Forwarded(0).request, [&](Response) { ++replies; });
  const auto sent = SentTo<ForwardMessage>(coordinator);
  ASSERT_EQ(sent.size(), 1u);
  router_.OnForwardReply(coordinator == NodeId{3} ? NodeId{2} : NodeId{3}, {sent[0].request_id, {}});
  EXPECT_EQ(replies, 0);
  router_.OnForwardReply(coordinator, {sent[0].request_id, {}});
  EXPECT_EQ(replies, 1);
}

// A node that works on large values for half a second finds each small request too old; its client was told that there is
// no coordinator.
TEST_F(RouterTest, ABusyCoordinatorIsAskedAgainForLonger) {
  const NodeId coordinator = net_.view->ring->Coordinator(ForeignSlot());
  Request request = Forwarded(0).request;
  request.sent_ms = 0;
  std::vector<Response> responses;
  router_.Submit(request, [&](Response response) { responses.push_back(response); });
  const uint64_t begun_us = net_.clock.MonotonicUs();
  size_t sent = 0;
  while (responses.empty() && net_.clock.MonotonicUs() < begun_us + 100'000'000) {
    const auto all = SentTo<ForwardMessage>(coordinator);
    if (all.size() > sent) {
      sent = all.size();
      net_.clock.Advance(900'000);
      router_.OnForwardReply(coordinator, {all.back().request_id, {Outcome::kNotHere, ""}});
    }
    net_.clock.Advance(100'000);
    router_.OnTick(net_.clock.MonotonicUs());
    router_.TellEnded();
  }
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_EQ(responses[0].outcome, Outcome::kClusterDown);
  EXPECT_GT(net_.clock.MonotonicUs(), begun_us + context_.options.request_timeout_us + 20'000'000);
  EXPECT_LT(net_.clock.MonotonicUs(), begun_us + context_.options.request_timeout_us + 30'000'000);
}

// A large reply that took longer than the timeout was read to its end, and its client had been told that nobody answers.
TEST_F(RouterTest, AReplyOnItsWayIsWaitedFor) {
  const NodeId coordinator = net_.view->ring->Coordinator(ForeignSlot());
  Request request = Forwarded(0).request;
  request.sent_ms = 0;
  std::vector<Response> responses;
  const auto submit = [&] { router_.Submit(request, [&](Response response) { responses.push_back(response); }); };
  const auto pass = [&](uint64_t us, bool parts) {
    for (uint64_t passed = 0; passed < us; passed += 100'000) {
      net_.clock.Advance(100'000);
      if (parts) router_.OnPartOfFrame(coordinator);
      router_.OnTick(net_.clock.MonotonicUs());
      router_.TellEnded();
    }
  };
  const uint64_t timeout_us = context_.options.request_timeout_us + 600'000;
  submit();
  pass(timeout_us, false);
  EXPECT_EQ(responses.size(), 1u);
  submit();
  pass(timeout_us, true);
  pass(4'000'000, false);
  pass(4'000'000, true);
  EXPECT_EQ(responses.size(), 1u);
  router_.OnForwardReply(coordinator, {SentTo<ForwardMessage>(coordinator).back().request_id, {}});
  EXPECT_EQ(responses.size(), 2u);
  // Not for ever, though.
  submit();
  pass(timeout_us + 61'000'000, true);
  EXPECT_EQ(responses.size(), 3u);
}

/// The coordinator of the slot goes out of reach once it has been sent something.
class LostCoordinatorTest : public RouterTest {
 protected:
  void Submit(std::initializer_list<std::string_view> words, Traits traits) {
    Request request;
    request.slot = ForeignSlot();
    request.traits = traits;
    request.args = Arguments(words);
    router_.Submit(std::move(request), [this](Response response) { outcomes_.push_back(response.outcome); });
  }
  void Lose() {
    ASSERT_EQ(SentTo<ForwardMessage>(first_).size(), 1u);
    net_.Unlink(1, first_.value);
    router_.OnReachChanged();
  }
  void Pass(uint64_t ms) {
    net_.clock.Advance(ms * 1000);
    router_.OnTick(net_.clock.MonotonicUs());
  }
  size_t SentElsewhere() {
    size_t sent = 0;
    for (uint64_t node = 2; node <= 3; ++node) {
      if (NodeId{node} != first_) sent += SentTo<ForwardMessage>(NodeId{node}).size();
    }
    return sent + coordinator_.pending();
  }

  const NodeId first_ = net_.view->ring->Coordinator(ForeignSlot());
  const Traits write_{false, true, true, true}, read_{true, false, false, true};
  std::vector<Outcome> outcomes_;
};

// A node that was cut off from the entry node alone ran it half a second later, over what the client had
// written since.
TEST_F(LostCoordinatorTest, AWriteWaitsUntilItsFirstReceiverWouldNotRunItAnyMore) {
  Submit({"SET", "k", "1"}, write_);
  Lose();
  Pass(context_.options.forward_age_max_ms);
  EXPECT_EQ(SentElsewhere(), 0u);
  Pass(500);
  EXPECT_EQ(SentElsewhere(), 1u);
  EXPECT_TRUE(outcomes_.empty());
}

// A large request may be on its way for longer, so its first receiver may still run it.
TEST_F(LostCoordinatorTest, ALargeWriteWaitsForLonger) {
  const std::string value(16 << 20, 'v');
  Submit({"SET", "k", value}, write_);
  Lose();
  Pass(context_.options.forward_age_max_ms + 500);
  EXPECT_EQ(SentElsewhere(), 0u);
  Pass(ShardContext::TransportUs(value.size()) / 1000);
  EXPECT_EQ(SentElsewhere(), 1u);
}

TEST_F(LostCoordinatorTest, WhatComesAfterItForItsSlotStaysBehindIt) {
  Submit({"SET", "k", "1"}, write_);
  Lose();
  Submit({"GET", "k"}, read_);
  EXPECT_EQ(SentElsewhere(), 0u);
  Pass(1000);
  EXPECT_EQ(SentElsewhere(), 2u);
}

// Its client had its next command ready when it heard that the outcome of an earlier one is unknown, and that command
// ran before a write that was lost with it.
TEST_F(LostCoordinatorTest, AllThatWasLostIsHeldBeforeAnybodyHearsOfIt) {
  Request increment;
  increment.slot = ForeignSlot();
  increment.traits = {true, true, false, false};
  increment.args = Arguments({"INCR", "n"});
  router_.Submit(std::move(increment), [this](Response response) {
    outcomes_.push_back(response.outcome);
    Submit({"SET", "k", "2"}, write_);
  });
  Submit({"SET", "k", "1"}, write_);
  net_.Unlink(1, first_.value);
  router_.OnReachChanged();
  router_.TellEnded();
  EXPECT_EQ(outcomes_, std::vector{Outcome::kUnknown});
  EXPECT_EQ(SentElsewhere(), 0u);
  Pass(1000);
  EXPECT_EQ(SentElsewhere(), 2u);
}

// A seat moved: the first command was given back, and the second one, which knew the new owner already, overtook it.
TEST_F(LostCoordinatorTest, WhatComesAfterACommandThatWasGivenBackStaysBehindIt) {
  Submit({"SET", "k", "1"}, write_);
  const auto sent = SentTo<ForwardMessage>(first_);
  ASSERT_EQ(sent.size(), 1u);
  router_.OnForwardReply(first_, {sent[0].request_id, {Outcome::kNotHere, ""}});
  Submit({"SET", "k", "2"}, write_);
  EXPECT_EQ(SentTo<ForwardMessage>(first_).size(), 1u);
  Pass(1);
  const auto again = SentTo<ForwardMessage>(first_);
  ASSERT_EQ(again.size(), 3u);
  EXPECT_EQ(again[1].request.args[2], "1");
  EXPECT_EQ(again[2].request.args[2], "2");
}

// A coordinator that needs one more copy than its own replies at once to a home, which shows the reply when
// it has that.
TEST_F(LostCoordinatorTest, AHomeShowsAReplyWhenItHasWhatItIsBoundTo) {
  Submit({"SET", "k", "1"}, write_);
  const auto sent = SentTo<ForwardMessage>(first_);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].count, context_.foreign->CountOf(first_)) << "it says that it is a home";
  const auto event = net_.node(first_.value).Set(ForeignSlot(), "k", "1");
  router_.OnForwardReply(first_, {sent[0].request_id, {Outcome::kReply, "+OK\r\n"}, event->dot});
  router_.AfterCommit({});
  EXPECT_TRUE(outcomes_.empty());
  net_.node(1).catch_up.OnEvent(first_, EventMessage{0, event});
  router_.AfterCommit({ForeignSlot()});
  EXPECT_EQ(outcomes_, std::vector{Outcome::kReply});
  EXPECT_EQ(router_.pending(), 0u);
}

// The other side of it: asked whether its event is on enough nodes, a coordinator asks the homes, and tells
// when it knows.
TEST_F(RouterTest, ACoordinatorTellsWhenEnoughNodesHaveWhatAReplyIsBoundTo) {
  SlotId slot = 0;
  while (net_.view->ring->Coordinator(slot) != NodeId{1}) ++slot;
  const causality::Dot dot = net_.node(1).Set(slot, "k", "v")->dot;
  Request read;
  read.slot = slot;
  read.traits = {true, false, false, true};
  read.args = Arguments({"GET", "k"});
  coordinator_.Submit(std::move(read), [](Response) {});
  coordinator_.BeforeCommit();
  const size_t probes = SentTo<ProbeMessage>(NodeId{2}).size();

  coordinator_.OnCommitAsk(NodeId{2}, {slot, dot});
  coordinator_.BeforeCommit();
  EXPECT_EQ(SentTo<ProbeMessage>(NodeId{2}).size(), probes) << "it has just asked";
  net_.clock.Advance(context_.options.probe_patience_us + 1);
  coordinator_.OnCommitAsk(NodeId{2}, {slot, dot});
  coordinator_.BeforeCommit();
  EXPECT_EQ(SentTo<ProbeMessage>(NodeId{2}).size(), probes + 1);
  EXPECT_TRUE(SentTo<CommitTellMessage>(NodeId{2}).empty());

  coordinator_.OnAck(NodeId{3}, {slot, dot});
  coordinator_.AfterCommit();
  coordinator_.OnCommitAsk(NodeId{2}, {slot, {{NodeId{1}, 99}, 1}});
  EXPECT_TRUE(SentTo<CommitTellMessage>(NodeId{2}).empty()) << "that is another life's";
  coordinator_.OnCommitAsk(NodeId{2}, {slot, {dot.actor, dot.counter + 5}});
  const auto told = SentTo<CommitTellMessage>(NodeId{2});
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].slot, slot);
  EXPECT_EQ(told[0].upto, dot);
}

// What it would be bound to could not be applied before the merge is over.
TEST_F(LostCoordinatorTest, AHomeThatMergesDoesNotOfferItsCopy) {
  Submit({"SET", "k", "1"}, write_);
  net_.node(1).catch_up.OnBehind(first_, {ForeignSlot()});
  Submit({"SET", "k", "2"}, write_);
  const auto sent = SentTo<ForwardMessage>(first_);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_NE(sent[0].count, 0u);
  EXPECT_EQ(sent[1].count, 0u);
}

// Its coordinator is lost before the event comes: the write may have been applied.
TEST_F(LostCoordinatorTest, ABoundReplyIsNoReplyIfTheCoordinatorIsLost) {
  Request increment;
  increment.slot = ForeignSlot();
  increment.traits = {true, true, false, false};
  increment.args = Arguments({"INCR", "n"});
  router_.Submit(std::move(increment), [this](Response response) { outcomes_.push_back(response.outcome); });
  const auto sent = SentTo<ForwardMessage>(first_);
  ASSERT_EQ(sent.size(), 1u);
  router_.OnForwardReply(first_, {sent[0].request_id, {Outcome::kReply, ":1\r\n"}, {{first_, 1}, 1}});
  router_.AfterCommit({});
  net_.Unlink(1, first_.value);
  router_.OnReachChanged();
  router_.TellEnded();
  EXPECT_EQ(outcomes_, std::vector{Outcome::kUnknown});
  EXPECT_EQ(router_.pending(), 0u);
}

// Whoever waited for a loop whose disk was full got no answer until there was room again.
TEST_F(LostCoordinatorTest, WithoutADiskEverybodyIsAnsweredAtOnce) {
  Submit({"SET", "k", "1"}, write_);
  Submit({"GET", "k"}, read_);
  router_.Fail("no space left");
  EXPECT_EQ(outcomes_, (std::vector{Outcome::kUnknown, Outcome::kDiskError}));
  Submit({"SET", "k", "2"}, write_);
  EXPECT_EQ(outcomes_.size(), 2u);
  router_.TellEnded();
  EXPECT_EQ(outcomes_.back(), Outcome::kDiskError);
  EXPECT_EQ(router_.pending(), 0u);
}

TEST_F(LostCoordinatorTest, AReadIsTriedElsewhereAtOnce) {
  Submit({"GET", "k"}, read_);
  Lose();
  EXPECT_EQ(SentElsewhere(), 1u);
}

/// One node more than homes: there are slots that this one is no home of.
class MovedSeatTest : public RouterTest {
 protected:
  MovedSeatTest() : RouterTest(4) {
    coordinator_.SetPassOn(
        [this](Request request, Callback done) { router_.Route(std::move(request), 0, std::move(done)); });
  }
  SlotId MovedSlot() const { return net_.SlotOf(1, false); }
  void EndTurn() {
    coordinator_.BeforeCommit();
    coordinator_.AfterCommit();
  }
};

// By way of a node that had it from an older owner, it was refused: "no home of the slot is in reach".
TEST_F(MovedSeatTest, ACommandOfTooManyHopsIsGivenBackByWhoIsNoHome) {
  ForwardMessage message = Forwarded(0);
  message.hops = 2;
  message.request.slot = MovedSlot();
  context_.seats.Merge({MovedSlot(), 0, {1, NodeId{3}, true, NodeId{2}}});
  router_.OnForward(NodeId{2}, std::move(message));
  EndTurn();
  const auto replies = SentTo<ForwardReplyMessage>(NodeId{2});
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].response.outcome, Outcome::kNotHere);
  const auto seats = SentTo<SeatsMessage>(NodeId{2});
  ASSERT_EQ(seats.size(), 1u);
  EXPECT_EQ(seats[0].records, context_.seats.RecordsOf(MovedSlot()));
  EXPECT_EQ(context_.stats.cluster_down, 0u);
}

// It came between the commit that gave the seat away and the news of that.
TEST_F(MovedSeatTest, ACommandOfAnOwnClientIsPassedOnWhenItsTurnComes) {
  Request request = Forwarded(0).request;
  request.slot = MovedSlot();
  request.sent_ms = 0;
  int replies = 0;
  coordinator_.Submit(std::move(request), [&](Response) { ++replies; });
  EndTurn();
  EXPECT_EQ(SentTo<ForwardMessage>(context_.Homes(MovedSlot())[0]).size(), 1u);
  EXPECT_EQ(replies, 0);
  EXPECT_EQ(coordinator_.pending(), 0u);
}

TEST_F(RouterTest, NumbersOfTwoLivesDoNotMeet) {
  const NodeId coordinator = net_.view->ring->Coordinator(ForeignSlot());
  router_.Submit(Forwarded(0).request, [](Response) {});
  ++context_.self.incarnation;
  Router next_life(&context_, &coordinator_, nullptr);
  next_life.Submit(Forwarded(0).request, [](Response) {});
  const auto sent = SentTo<ForwardMessage>(coordinator);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_GT(
      std::max(sent[0].request_id, sent[1].request_id) - std::min(sent[0].request_id, sent[1].request_id),
      1'000'000u);
}

}  // namespace
}  // namespace orrery::replication

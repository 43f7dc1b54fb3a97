// Acknowledgements that nothing waits for: noted, and counted when somebody looks at the slot.

#include "orrery/replication/ack_notes.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "replication/one_coordinator.h"

namespace orrery::replication {
namespace {

using Counted = std::map<NodeId, uint64_t>;

Counted Take(AckNotes* notes, SlotId slot) {
  Counted counted;
  notes->Take(slot, [&](NodeId home, uint64_t counter) { counted[home] = counter; });
  return counted;
}

TEST(AckNotesTest, KeepsTheHighestCounterOfEachHome) {
  AckNotes notes;
  EXPECT_FALSE(notes.Has(7));
  EXPECT_TRUE(notes.Add(7, NodeId{2}, 5));
  EXPECT_TRUE(notes.Add(7, NodeId{3}, 4));
  EXPECT_TRUE(notes.Add(7, NodeId{2}, 6));
  EXPECT_TRUE(notes.Add(7, NodeId{2}, 3));
  EXPECT_TRUE(notes.Add(8, NodeId{9}, 1));
  EXPECT_FALSE(notes.Add(7, NodeId{4}, 9)) << "there is room for two";
  EXPECT_TRUE(notes.Has(7));
  EXPECT_EQ(Take(&notes, 7), (Counted{{NodeId{2}, 6}, {NodeId{3}, 4}}));
  EXPECT_FALSE(notes.Has(7));
  EXPECT_EQ(Take(&notes, 7), Counted());
  EXPECT_TRUE(notes.Add(7, NodeId{4}, 9));
  EXPECT_EQ(Take(&notes, 8), (Counted{{NodeId{9}, 1}}));
}

TEST(AckNotesTest, ASweepTakesWhatNobodyHasLookedAtSinceTheLastOne) {
  using Slots = std::vector<SlotId>;
  AckNotes notes;
  uint64_t now_us = AckNotes::kSweepUs;
  notes.Add(1, NodeId{2}, 1);
  notes.Add(2, NodeId{2}, 1);
  EXPECT_EQ(notes.Old(now_us), Slots());
  notes.Add(3, NodeId{2}, 1);
  Take(&notes, 2);
  EXPECT_EQ(notes.Old(now_us + AckNotes::kSweepUs - 1), Slots()) << "not due yet";
  now_us += AckNotes::kSweepUs;
  EXPECT_EQ(notes.Old(now_us), Slots{1});
  Take(&notes, 1);
  EXPECT_EQ(notes.Old(now_us + AckNotes::kSweepUs), Slots{3});
}

/// Writes "v" to each key.
class SetExecutor final : public CommandExecutor {
 public:
  void Execute(const Request& request, storage::Transaction* transaction, std::string* reply) override {
    const std::string row = StringRow(request.args[1]);
    transaction->Clear(row);
    transaction->AddValue(row, "v");
    *reply = "OK";
  }
};

/// Node 1 of three, all homes of every slot, W=2; the test is the others.
class NotedAcksTest : public testing::Test, protected OneCoordinator {
 protected:
  NotedAcksTest() : OneCoordinator(3, 3, &executor_) {
    net_.LinkAll();
    EXPECT_EQ(context_.W(kSlot), 2u);
  }

  void Send(NodeId to, std::string frame) override {
    FrameReader reader(frame);
    Message message;
    while (reader.Next(&message)) {
      if (const auto* probe = std::get_if<ProbeMessage>(&message)) probes_.emplace_back(to, *probe);
      if (const auto* event = std::get_if<EventMessage>(&message)) committed_sent_ = event->committed;
    }
  }

  /// Entry: a home that forwards the command and answers its client when it has the event; nobody: an own
  /// client.
  void Set(NodeId entry) {
    Request request;
    request.slot = kSlot;
    request.args = Arguments({"SET", "k", "v"});
    request.traits = {false, true, true, true};
    request.entry = entry;
    request.entry_count = entry ? 1 : 0;
    coordinator_.Submit(std::move(request), [this](const Response& response) {
      EXPECT_EQ(response.outcome, Outcome::kReply);
      ++replies_;
    });
    Turn();
    for (const auto& [peer, probe] : std::exchange(probes_, {})) {
      coordinator_.OnProbeReply(peer, {probe.slot, probe.probe_id, true, {}});
    }
    Turn();
  }
  void Turn() {
    coordinator_.BeforeCommit();
    CommitTurn();
  }
  void Ack(uint64_t node, uint64_t counter) {
    coordinator_.OnAck(NodeId{node}, {kSlot, {context_.self, counter}});
  }
  uint64_t Committed() { return net_.node(1).slot(kSlot).committed().Get(context_.self); }

  static constexpr SlotId kSlot = 9;
  SetExecutor executor_;
  std::vector<std::pair<NodeId, ProbeMessage>> probes_;
  uint64_t committed_sent_ = 0;
  int replies_ = 0;
};

TEST_F(NotedAcksTest, AReplyThatWaitsLeavesWithTheFirstAcknowledgement) {
  Set({});
  EXPECT_EQ(replies_, 0);
  EXPECT_FALSE(coordinator_.PrefetchNotes(kSlot));
  Ack(3, 1);
  Turn();
  EXPECT_EQ(replies_, 1);
  EXPECT_EQ(Committed(), 1u);
}

TEST_F(NotedAcksTest, TheNextCommandCountsWhatWasNoted) {
  Set(NodeId{2});
  EXPECT_EQ(replies_, 1) << "bound to the event, it has left";
  EXPECT_TRUE(coordinator_.PrefetchNotes(kSlot));
  Ack(3, 1);
  Ack(2, 1);
  EXPECT_EQ(Committed(), 0u);
  Set(NodeId{2});
  EXPECT_EQ(replies_, 2);
  EXPECT_EQ(Committed(), 1u);
  EXPECT_EQ(committed_sent_, 1u) << "the homes hear of it with the next event";
}

TEST_F(NotedAcksTest, WhatNobodyLooksAtIsCountedInTime) {
  Set(NodeId{2});
  Ack(3, 1);
  coordinator_.OnTick(net_.clock.MonotonicUs());
  EXPECT_EQ(Committed(), 0u);
  net_.clock.Advance(AckNotes::kSweepUs);
  coordinator_.OnTick(net_.clock.MonotonicUs());
  EXPECT_EQ(Committed(), 1u);
}

TEST_F(NotedAcksTest, WhoAsksForTheCommitPointGetsThatOfTheNotes) {
  Set(NodeId{2});
  Ack(3, 1);
  coordinator_.CountNoted(kSlot);
  EXPECT_EQ(Committed(), 1u);
}

TEST_F(NotedAcksTest, AnAcknowledgementCountsAsOfTheTimeWhenItCame) {
  Set(NodeId{2});
  Ack(3, 1);
  coordinator_.OnPeerDown(NodeId{3});
  EXPECT_EQ(Committed(), 1u) << "it came before the link broke";
  Set(NodeId{2});
  coordinator_.CountNoted(kSlot);
  EXPECT_EQ(Committed(), 1u) << "what it has now is not known";
  Ack(2, 2);
  coordinator_.CountNoted(kSlot);
  EXPECT_EQ(Committed(), 2u);
}

TEST_F(NotedAcksTest, AnAcknowledgementOfSomebodyElsesSeatIsNotNoted) {
  Set(NodeId{2});
  Ack(4, 1);
  coordinator_.CountNoted(kSlot);
  EXPECT_EQ(Committed(), 0u);
}

}  // namespace
}  // namespace orrery::replication

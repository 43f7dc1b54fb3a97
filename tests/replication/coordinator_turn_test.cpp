// Commands that come to a coordinator in one turn: some of them run before what they made is applied.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "replication/one_coordinator.h"

namespace orrery::replication {
namespace {

/// APPEND key text, GET key; both reply with the value.
class AppendExecutor final : public CommandExecutor {
 public:
  void Execute(const Request& request, storage::Transaction* transaction, std::string* reply) override {
    const std::string row = StringRow(request.args[1]);
    const causality::Cell* value = transaction->Get(row).NewestValue();
    *reply = value == nullptr ? "" : value->payload;
    if (request.args[0] == "GET") return;
    reply->append(request.args[2]);
    transaction->Clear(row);
    transaction->AddValue(row, *reply);
  }
};

/// The only node of a cluster.
class CoordinatorTurnTest : public testing::Test, protected OneCoordinator {
 protected:
  CoordinatorTurnTest() : OneCoordinator(1, 1, &executor_) {}

  void Submit(SlotId slot, std::initializer_list<std::string_view> words) {
    Request request;
    request.slot = slot;
    request.args = Arguments(words);
    const bool reads = request.args[0] == "GET";
    request.traits = {true, !reads, false, true};
    coordinator_.Submit(std::move(request), [this, slot](Response response) {
      outcomes_[slot].push_back(response.outcome);
      replies_[slot].push_back(response.reply);
    });
  }
  void Turn() {
    coordinator_.BeforeCommit();
    EXPECT_TRUE(replies_.empty());
    CommitTurn();
  }

  AppendExecutor executor_;
  std::map<SlotId, std::vector<std::string>> replies_;
  std::map<SlotId, std::vector<Outcome>> outcomes_;
};

TEST_F(CoordinatorTurnTest, EachCommandSeesWhatCameBeforeItInItsSlot) {
  constexpr SlotId kSlots = 50;
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    for (SlotId slot = 0; slot < kSlots; ++slot) {
      // Every fifth slot is met twice in a row, by two writes or by a write and a read.
      Submit(slot, {"APPEND", "k", std::to_string(round)});
      if (slot % 5 == 0) Submit(slot, {"GET", "k"});
      if (slot % 5 == 1) Submit(slot, {"APPEND", "k", "x"});
    }
  }
  Turn();
  for (SlotId slot = 0; slot < kSlots; ++slot) {
    std::vector<std::string> expected;
    std::string value;
    for (int round = 0; round < kRounds; ++round) {
      expected.push_back(value += std::to_string(round));
      if (slot % 5 == 0) expected.push_back(value);
      if (slot % 5 == 1) expected.push_back(value += "x");
    }
    EXPECT_EQ(replies_[slot], expected) << slot;
    EXPECT_EQ(net_.node(1).slot(slot).row_count(), 1u);
    EXPECT_EQ(net_.node(1).slot(slot).clock().Get(context_.self),
              static_cast<uint64_t>(slot % 5 == 1 ? 2 * kRounds : kRounds));
  }
  EXPECT_EQ(coordinator_.pending(), 0u);
}

TEST_F(CoordinatorTurnTest, WhatIsRefusedWhenItIsAppliedIsRefusedAlone) {
  context_.options.event_bytes_max = 1'000;
  const std::string large(2'000, 'v');
  constexpr SlotId kSlots = 40;
  for (SlotId slot = 0; slot < kSlots; ++slot) {
    Submit(slot, {"APPEND", "k", slot % 3 == 0 ? std::string_view(large) : "v"});
    if (slot % 2 == 0) Submit(slot, {"GET", "k"});
  }
  Turn();
  for (SlotId slot = 0; slot < kSlots; ++slot) {
    const bool refused = slot % 3 == 0;
    ASSERT_EQ(replies_[slot].size(), slot % 2 == 0 ? 2u : 1u) << slot;
    EXPECT_EQ(replies_[slot][0],
              refused ? "-ERR what the command writes is larger than 1000 bytes\r\n" : "v");
    if (slot % 2 == 0) {
      EXPECT_EQ(replies_[slot][1], refused ? "" : "v");
    }
    EXPECT_EQ(net_.node(1).slot(slot).row_count(), refused ? 0u : 1u);
  }
}

TEST_F(CoordinatorTurnTest, ARowThatCannotBeReadStopsItsSlotAlone) {
  constexpr SlotId kSlots = 20, kDamaged = 7;
  for (SlotId slot = 0; slot < kSlots; ++slot) Submit(slot, {"APPEND", "k", "a"});
  Turn();
  net_.node(1).database.CorruptValue(storage::Table::kRows, storage::WithSlot(kDamaged, StringRow("k")));
  replies_.clear();
  outcomes_.clear();
  for (SlotId slot = 0; slot < kSlots; ++slot) Submit(slot, {"APPEND", "k", "b"});
  Turn();
  for (SlotId slot = 0; slot < kSlots; ++slot) {
    ASSERT_EQ(outcomes_[slot].size(), 1u) << slot;
    EXPECT_EQ(outcomes_[slot][0], slot == kDamaged ? Outcome::kClusterDown : Outcome::kReply) << slot;
    if (slot != kDamaged) {
      EXPECT_EQ(replies_[slot][0], "ab");
    }
  }
}

TEST_F(CoordinatorTurnTest, ATurnThatCannotBeCommittedLeavesNoOutcomeOpen) {
  constexpr SlotId kSlots = 20;
  for (SlotId slot = 0; slot < kSlots; ++slot) Submit(slot, {"APPEND", "k", "a"});
  coordinator_.BeforeCommit();
  Submit(0, {"APPEND", "k", "b"});
  coordinator_.CommitFailed("no space");
  for (SlotId slot = 0; slot < kSlots; ++slot) EXPECT_EQ(outcomes_[slot].at(0), Outcome::kUnknown) << slot;
  EXPECT_EQ(outcomes_[0], (std::vector<Outcome>{Outcome::kUnknown, Outcome::kDiskError}));
  EXPECT_EQ(coordinator_.pending(), 0u);
}

}  // namespace
}  // namespace orrery::replication

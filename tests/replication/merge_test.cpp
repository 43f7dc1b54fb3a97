// Merges of whole slots between two nodes: both sides of the conversation, and what interrupts it.

#include <gtest/gtest.h>

#include "replication/test_net.h"

namespace orrery::replication {
namespace {

using causality::EventPtr;

constexpr SlotId kSlot = 42;

ShardOptions ShortBacklog() {
  ShardOptions options;
  options.backlog_bytes_max = 200;
  options.merge_part_bytes = 300;
  return options;
}

/// Two homes; the first one's backlog is far too short for what the second one lacks.
class MergeTest : public ::testing::Test {
 protected:
  void Fill(SlotId slot, int rows) {
    for (int i = 0; i < rows; ++i) {
      const EventPtr event = a_.Set(slot, "key" + std::to_string(100 + i), "value");
      a_.slot(slot).committed().Raise(event->dot);
    }
    a_.EndTurn();
  }
  /// Steps until the second node has taken so many parts.
  void StepUntilParts(size_t parts) {
    for (int i = 0; i < 1000 && b_.Received<MergePartMessage>() < parts; ++i) net_.Step();
    ASSERT_EQ(b_.Received<MergePartMessage>(), parts);
  }
  void ExpectSame(SlotId slot = kSlot) {
    EXPECT_EQ(a_.slot(slot).clock(), b_.slot(slot).clock());
    EXPECT_TRUE(a_.Rows(slot) == b_.Rows(slot));
    EXPECT_EQ(a_.slot(slot).digest(), b_.slot(slot).digest());
    EXPECT_FALSE(b_.catch_up.Merging(slot));
  }

  TestNet net_{2, 2, ShortBacklog()};
  TestNode& a_ = net_.node(1);
  TestNode& b_ = net_.node(2);
};

TEST_F(MergeTest, BringsASlotThatIsBehindTheBacklogInSeveralParts) {
  Fill(kSlot, 50);
  b_.Set(kSlot, "own", "of b");
  net_.LinkAll();
  net_.Settle();
  ExpectSame();
  EXPECT_GT(b_.Received<MergePartMessage>(), 5u);
  EXPECT_EQ(b_.context.stats.merges_done, 1u);
  EXPECT_GE(b_.context.stats.merge_rows, 50u);
  EXPECT_EQ(a_.Rows(kSlot).size(), 51u) << "what only the merging side had stays, and travels back";
  EXPECT_TRUE(a_.peer_clocks[std::pair(b_.id, kSlot)].CoversAll(a_.slot(kSlot).clock()))
      << "the source learns what is safe now";
}

TEST_F(MergeTest, NothingShowsUntilTheLastPart) {
  Fill(kSlot, 50);
  net_.LinkAll();
  StepUntilParts(3);
  EXPECT_TRUE(b_.catch_up.Merging(kSlot));
  EXPECT_TRUE(b_.Rows(kSlot).empty());
  EXPECT_TRUE(b_.slot(kSlot).clock().empty());
  net_.Settle();
  ExpectSame();
}

TEST_F(MergeTest, EventsGoOnBeingAppliedOnBothSides) {
  Fill(kSlot, 50);
  net_.LinkAll();
  StepUntilParts(2);
  // The image was fixed before these; one of them removes a row that is still to be sent.
  const EventPtr late = a_.Set(kSlot, "late", "of a");
  const EventPtr removal = a_.Run(kSlot, [](storage::Transaction* t) { t->Clear(StringRow("key149")); });
  a_.Send(b_.id, EventMessage{0, late});
  const EventPtr own = b_.Set(kSlot, "own", "of b");
  net_.Step();
  EXPECT_EQ(b_.slot(kSlot).clock().Get(b_.context.self), 1u);
  net_.Settle();
  ExpectSame();
  EXPECT_EQ(b_.Rows(kSlot).size(), 51u);
}

TEST_F(MergeTest, ALostSourceLeavesNoTraceAndTheMergeStartsAgain) {
  Fill(kSlot, 50);
  net_.LinkAll();
  StepUntilParts(3);
  net_.Unlink(1, 2);
  net_.Settle();
  EXPECT_FALSE(b_.catch_up.Merging(kSlot));
  EXPECT_TRUE(b_.Rows(kSlot).empty());
  EXPECT_TRUE(b_.slot(kSlot).clock().empty());
  net_.Link(1, 2);
  net_.Settle();
  ExpectSame();
  EXPECT_EQ(b_.context.stats.merges_done, 1u);
}

TEST_F(MergeTest, ASilentSourceIsGivenUp) {
  net_.LinkAll();
  net_.Settle();
  b_.catch_up.OnBehind(a_.id, BehindMessage{kSlot});
  EXPECT_TRUE(b_.catch_up.Merging(kSlot));
  net_.clock.Advance(MergeRequester::kPatienceUs + 1);
  b_.Tick();
  EXPECT_FALSE(b_.catch_up.Merging(kSlot));
}

TEST_F(MergeTest, AMalformedPartEndsTheMerge) {
  net_.LinkAll();
  net_.Settle();
  b_.catch_up.OnBehind(a_.id, BehindMessage{kSlot});
  b_.EndTurn();
  net_.Settle();
  EXPECT_EQ(b_.context.stats.merges_done, 1u) << "an empty slot merges too";

  MergeStaging staging(a_.id, 5);
  MergePartMessage part;
  part.merge_id = 5;
  part.rows = {{"row", "not a row"}};
  EXPECT_EQ(staging.Take(a_.id, part), MergeStaging::Step::kMalformed);
}

TEST_F(MergeTest, StagingTakesPartsOfItsOwnImageInOrderOnly) {
  const std::string row =
      causality::EncodeRow({{{causality::CellKind::kValue, {{NodeId{1}, 1}, 1}, 1, 1, "v", {}}}});
  MergeStaging staging(a_.id, 5);
  MergePartMessage part;
  part.merge_id = 5;
  part.rows = {{"b", row}};
  EXPECT_EQ(staging.Take(b_.id, part), MergeStaging::Step::kForeign);
  part.merge_id = 6;
  EXPECT_EQ(staging.Take(a_.id, part), MergeStaging::Step::kForeign);
  part.merge_id = 5;
  EXPECT_EQ(staging.Take(a_.id, part), MergeStaging::Step::kNextPart);
  EXPECT_EQ(staging.Take(a_.id, part), MergeStaging::Step::kForeign) << "the same part again";
  part.part = 1;
  part.last = true;
  part.rows = {{"a", row}};
  EXPECT_EQ(staging.Take(a_.id, part), MergeStaging::Step::kMalformed) << "a source sends rows in order";
}

TEST_F(MergeTest, ASourceThatHasDroppedTheImageSaysSo) {
  Fill(kSlot, 50);
  net_.LinkAll();
  net_.Settle();
  b_.Send(a_.id, MergeRequestMessage{kSlot, 77, 3});
  net_.Step();
  const size_t parts = b_.Received<MergePartMessage>();
  net_.Step();
  EXPECT_EQ(b_.Received<MergePartMessage>(), parts + 1);
  EXPECT_FALSE(b_.catch_up.Merging(kSlot));
}

TEST_F(MergeTest, ManySlotsMergeAFewAtATime) {
  for (SlotId slot = 0; slot < 40; ++slot) Fill(slot, 20);
  net_.LinkAll();
  size_t most = 0;
  for (int i = 0; i < 1000 && net_.Step(); ++i) most = std::max(most, b_.catch_up.merges());
  EXPECT_GT(most, MergeRequester::kUnderWayMax) << "the others wait";
  net_.Pass(1'000'000);
  for (SlotId slot = 0; slot < 40; ++slot) ExpectSame(slot);
  EXPECT_EQ(b_.context.stats.merges_done, 40u);
}

TEST_F(MergeTest, ImagesAreBoundedAndLeaveWhenIdle) {
  net_.LinkAll();
  Fill(kSlot, 50);
  MergeSource source(&a_.context);
  for (SlotId slot = 0; slot < MergeSource::kImagesMax + 10; ++slot) {
    Fill(slot, 20);
    source.OnRequest(b_.id, {slot, 1, 0});
  }
  source.AfterCommit();
  EXPECT_EQ(source.images(), MergeSource::kImagesMax);
  source.Tick(net_.clock.MonotonicUs() + MergeSource::kIdleUs + 1);
  EXPECT_EQ(source.images(), 0u);
  source.OnRequest(b_.id, {kSlot, 1, 0});
  source.AfterCommit();
  EXPECT_EQ(source.images(), 1u);
  source.OnPeerDown(b_.id);
  EXPECT_EQ(source.images(), 0u);
}

// ---- damaged slots ----

class RepairTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kDamaged = 1;

  void Spread(TestNode* from, const EventPtr& event) {
    for (uint64_t peer = 1; peer <= 3; ++peer) from->Send(NodeId{peer}, EventMessage{0, event});
  }
  /// k1 by the first, k2 by the second, k3 by the third; all have them when they have settled.
  void EachMakesARow() {
    for (uint64_t maker = 1; maker <= 3; ++maker) {
      Spread(&net_.node(maker), net_.node(maker).Set(kSlot, "k" + std::to_string(maker), "v"));
    }
  }
  void Corrupt(TestNode* node, const std::string& key) {
    node->EndTurn();
    node->database.CorruptValue(storage::Table::kRows, storage::WithSlot(kSlot, StringRow(key)));
    node->catch_up.OnCorruption(kSlot, Status::Corruption("made by the test"));
  }

  TestNet net_{3, 3};
  TestNode& damaged_ = net_.node(kDamaged);
};

TEST_F(RepairTest, ADamagedSlotIsMergedFromEnoughOfTheOtherHomes) {
  net_.LinkAll();
  EachMakesARow();
  net_.Settle();
  const auto rows = net_.node(2).Rows(kSlot);
  ASSERT_EQ(rows.size(), 3u);
  Corrupt(&damaged_, "k2");
  EXPECT_TRUE(damaged_.catch_up.Merging(kSlot));
  EXPECT_TRUE(damaged_.slot(kSlot).clock().empty());
  net_.Settle();
  EXPECT_FALSE(damaged_.catch_up.Merging(kSlot));
  EXPECT_EQ(damaged_.Rows(kSlot), rows);
  EXPECT_EQ(damaged_.slot(kSlot).clock(), net_.node(2).slot(kSlot).clock());
  EXPECT_EQ(damaged_.context.stats.corrupt_slots, 1u);
  EXPECT_EQ(damaged_.context.stats.merges_done, 2u)
      << "N - W + 1 others, for what one of them may have missed";
}

TEST_F(RepairTest, OneHomeThatHasAllThatWasHereIsEnough) {
  net_.Link(1, 2);
  Spread(&damaged_, damaged_.Set(kSlot, "k", "v"));
  net_.Settle();
  Corrupt(&damaged_, "k");
  net_.Settle();
  EXPECT_FALSE(damaged_.catch_up.Merging(kSlot));
  EXPECT_EQ(damaged_.Rows(kSlot).size(), 1u);
}

TEST_F(RepairTest, WaitsForHomesThatAreAway) {
  net_.Link(1, 2);
  Spread(&damaged_, damaged_.Set(kSlot, "k", "v"));
  net_.Settle();
  net_.Unlink(1, 2);
  damaged_.slot(kSlot).backlog() = Backlog();
  Corrupt(&damaged_, "k");
  net_.Pass(500'000);
  EXPECT_TRUE(damaged_.catch_up.Merging(kSlot));
  net_.LinkAll();
  net_.Pass(500'000);
  EXPECT_FALSE(damaged_.catch_up.Merging(kSlot));
  EXPECT_EQ(damaged_.Rows(kSlot).size(), 1u);
}

// The counter of an event that nobody else has must not be given to another event.
TEST_F(RepairTest, OwnEventsThatNobodyElseHasAreKept) {
  Spread(&damaged_, damaged_.Set(kSlot, "shared", "v"));
  net_.LinkAll();
  net_.Settle();
  damaged_.Set(kSlot, "only here", "v");
  Corrupt(&damaged_, "shared");
  net_.Settle();
  EXPECT_FALSE(damaged_.catch_up.Merging(kSlot));
  EXPECT_EQ(damaged_.slot(kSlot).clock().Get(damaged_.context.self), 2u);
  EXPECT_EQ(damaged_.Rows(kSlot).size(), 2u);
}

// Each home has lost another row: together they have everything.
TEST_F(RepairTest, HomesDamagedInDifferentRowsMakeEachOtherWhole) {
  net_.LinkAll();
  EachMakesARow();
  net_.Settle();
  const auto rows = net_.node(2).Rows(kSlot);
  for (uint64_t node = 1; node <= 3; ++node) Corrupt(&net_.node(node), "k" + std::to_string(node));
  net_.Pass(2'000'000);
  for (uint64_t node = 1; node <= 3; ++node) {
    EXPECT_FALSE(net_.node(node).catch_up.Merging(kSlot)) << node;
    EXPECT_EQ(net_.node(node).Rows(kSlot), rows) << node;
    EXPECT_EQ(net_.node(node).slot(kSlot).clock().counters().entries().size(), 3u);
  }
}

// What went with a file can be read as absent: an image of it must not say that it is.
TEST_F(RepairTest, HomesThatLostFilesTellEachOtherWhatTheyDoNotKnow) {
  net_.LinkAll();
  EachMakesARow();
  net_.Settle();
  const auto rows = net_.node(3).Rows(kSlot);
  ASSERT_EQ(rows.size(), 3u);
  for (uint64_t number = 1; number <= 2; ++number) {
    TestNode& node = net_.node(number);
    const std::string row_key = StringRow("k" + std::to_string(number));
    node.slot(kSlot).backlog() = Backlog();
    node.context.store->Delete(storage::Table::kRows, storage::WithSlot(kSlot, row_key));
    node.EndTurn();
    const Status loss = node.slot(kSlot).NoteLoss({false, {KeyRange::Of(row_key)}});
    ASSERT_EQ(loss.code(), StatusCode::kCorruption);
    node.catch_up.OnCorruption(kSlot, loss);
  }
  net_.Pass(2'000'000);
  for (uint64_t number = 1; number <= 3; ++number) {
    EXPECT_FALSE(net_.node(number).catch_up.Merging(kSlot)) << number;
    EXPECT_EQ(net_.node(number).Rows(kSlot), rows) << number;
  }
}

// What no home can read is lost after a while; all the rest is kept, and the slot is in service again.
TEST_F(RepairTest, ARowThatNoHomeCanReadIsGivenUp) {
  net_.LinkAll();
  Spread(&net_.node(2), net_.node(2).Set(kSlot, "lost", "v"));
  Spread(&net_.node(2), net_.node(2).Set(kSlot, "kept", "v"));
  net_.Settle();
  for (uint64_t node = 1; node <= 3; ++node) {
    net_.node(node).slot(kSlot).backlog() = Backlog();
    Corrupt(&net_.node(node), "lost");
  }
  net_.Pass(60'000'000);
  for (uint64_t node = 1; node <= 3; ++node) {
    EXPECT_FALSE(net_.node(node).catch_up.Merging(kSlot)) << node;
    EXPECT_EQ(net_.node(node).Rows(kSlot).size(), 1u) << node;
  }
}

// Rows that can be read and are wrong: nobody can say what happened, but two of three agree.
TEST_F(RepairTest, RowsThatMostHomesDoNotHaveUnderTheSameClockAreMadeAnew) {
  net_.LinkAll();
  EachMakesARow();
  net_.Settle();
  const auto rows = net_.node(2).Rows(kSlot);
  SlotImage wrong = *damaged_.slot(kSlot).Image();
  wrong.rows.erase(StringRow("k1"));
  wrong.rows.at(StringRow("k2")).cells[0].payload = "w";
  damaged_.slots().Touch(kSlot);
  ASSERT_TRUE(damaged_.slot(kSlot).Replace(wrong).ok());
  // While the difference is found out events go on.
  for (int i = 0; i < 30; ++i) {
    net_.Pass(5'000'000);
    Spread(&net_.node(2), net_.node(2).Set(kSlot, "later", std::to_string(i)));
  }
  net_.Settle();
  EXPECT_GE(damaged_.context.stats.digest_mismatches, 2u);
  EXPECT_EQ(damaged_.context.stats.repaired_slots, 1u);
  EXPECT_EQ(net_.node(2).context.stats.repaired_slots + net_.node(3).context.stats.repaired_slots, 0u);
  EXPECT_EQ(damaged_.Rows(kSlot), net_.node(2).Rows(kSlot));
  EXPECT_EQ(damaged_.Rows(kSlot).at(storage::WithSlot(kSlot, StringRow("k1"))),
            rows.at(storage::WithSlot(kSlot, StringRow("k1"))));
  EXPECT_EQ(damaged_.slot(kSlot).digest(), net_.node(2).slot(kSlot).digest());
}

TEST(RepairAloneTest, TheOnlyHomeKeepsWhatItHas) {
  TestNet net(1, 3);
  TestNode& node = net.node(1);
  node.Set(kSlot, "k", "v");
  node.EndTurn();
  for (int i = 0; i < 3; ++i) node.catch_up.OnCorruption(kSlot, Status::Corruption("made by the test"));
  EXPECT_FALSE(node.catch_up.Merging(kSlot));
  EXPECT_EQ(node.Rows(kSlot).size(), 1u);
  EXPECT_EQ(node.logged.size(), 1u);
}

TEST(RepairAloneTest, AFailingDiskIsNoReasonToForget) {
  TestNet net(3, 3);
  TestNode& node = net.node(1);
  node.Set(kSlot, "k", "v");
  node.EndTurn();
  node.catch_up.OnCorruption(kSlot, Status::IoError("made by the test"));
  EXPECT_EQ(node.Rows(kSlot).size(), 1u);
  EXPECT_EQ(node.context.stats.corrupt_slots, 0u);
}

}  // namespace
}  // namespace orrery::replication

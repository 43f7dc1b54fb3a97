#include "orrery/replication/slot_loss.h"

#include <gtest/gtest.h>

#include "replication/test_net.h"

namespace orrery::replication {
namespace {

using storage::LostRange;
using storage::Table;

constexpr SlotId kSlot = 42;

class SlotLossTest : public ::testing::Test {
 protected:
  SlotLossTest() : store_(database_.OpenShard()) {}
  std::map<SlotId, SlotLoss> Note(const std::vector<LostRange>& ranges) {
    EXPECT_TRUE(NoteLosses(ranges, store_.get()).ok());
    EXPECT_TRUE(store_->Commit(storage::Durability::kDisk).ok());
    auto losses = LoadLosses(*store_);
    EXPECT_TRUE(losses.ok());
    return *losses;
  }

  storage::MemoryDatabase database_;
  std::unique_ptr<storage::RowStore> store_;
};

TEST_F(SlotLossTest, ARangeOfRowsIsCutAtItsSlots) {
  const auto losses = Note({{Table::kRows, storage::WithSlot(7, "m"), storage::WithSlot(9, "n")}});
  ASSERT_EQ(losses.size(), 3u);
  EXPECT_EQ(losses.at(7).rows, (std::vector<KeyRange>{{"m", ""}}));
  EXPECT_EQ(losses.at(8).rows, (std::vector<KeyRange>{{"", ""}}));
  EXPECT_EQ(losses.at(9).rows, (std::vector<KeyRange>{{"", std::string("n\0", 2)}}));
  EXPECT_FALSE(losses.at(8).state);
}

TEST_F(SlotLossTest, WhatWasNotedStaysBesideWhatIsNoted) {
  Note({{Table::kRows, storage::WithSlot(7, "a"), storage::WithSlot(7, "b")}});
  const auto losses = Note({{Table::kSlots, storage::SlotPrefix(7), storage::SlotPrefix(8)}});
  ASSERT_EQ(losses.size(), 2u);
  EXPECT_TRUE(losses.at(7).state);
  EXPECT_EQ(losses.at(7).rows.size(), 1u);
  EXPECT_TRUE(losses.at(8).state);
  ForgetLoss(7, store_.get());
  ASSERT_TRUE(store_->Commit(storage::Durability::kDisk).ok());
  EXPECT_EQ(LoadLosses(*store_)->size(), 1u);
}

TEST_F(SlotLossTest, DerivedEntriesAreAReasonToMakeTheSlotAnew) {
  const auto losses = Note({{Table::kExpiry, storage::SlotPrefix(3), storage::SlotPrefix(3) + "x"}});
  ASSERT_EQ(losses.size(), 1u);
  EXPECT_FALSE(losses.at(3).state);
  EXPECT_TRUE(losses.at(3).rows.empty());
}

TEST_F(SlotLossTest, AJournalThatIsLostMayHaveBeenAboutAnySlot) {
  const auto losses = Note({{Table::kSlots, storage::SlotPrefix(7), "\xff\xff"}});
  EXPECT_EQ(losses.size(), size_t{kSlotCount});
  EXPECT_TRUE(losses.at(0).state);
}

TEST_F(SlotLossTest, LostHintsAreNoted) {
  EXPECT_FALSE(*HasLostHints(*store_));
  EXPECT_TRUE(Note({{Table::kHints, "a", "b"}}).empty());
  EXPECT_TRUE(*HasLostHints(*store_));
  ForgetLostHints(store_.get());
  EXPECT_FALSE(*HasLostHints(*store_));
}

TEST_F(SlotLossTest, AnUnreadableNoteMayBeAboutAnySlot) {
  Note({{Table::kRows, storage::WithSlot(7, "a"), storage::WithSlot(7, "b")}});
  database_.CorruptValue(Table::kSlots, "\xff\xfe" + storage::SlotPrefix(7));
  const auto losses = LoadLosses(*store_);
  ASSERT_TRUE(losses.ok());
  EXPECT_EQ(losses->size(), size_t{kSlotCount});
}

// ---- at a start ----

class LossAtStartTest : public SlotLossTest {
 protected:
  LossAtStartTest() {
    SlotTable slots(store_.get(), &observer_, 1 << 20);
    for (const char* key : {"a", "b", "c"}) {
      causality::Event event;
      event.slot = kSlot;
      event.dot = {{NodeId{1}, 1}, slots.At(kSlot).clock().Get({NodeId{1}, 1}) + 1};
      event.changes.push_back(
          {StringRow(key), {}, {{causality::CellKind::kValue, event.dot, event.dot.counter, 1, "v", {}}}});
      EXPECT_TRUE(slots.Apply(event, causality::MakeEventPtr(event)).ok());
    }
    std::vector<SlotId> touched;
    slots.SaveTouched(&touched);
    EXPECT_TRUE(store_->Commit(storage::Durability::kDisk).ok());
  }
  std::vector<std::pair<SlotId, Status>> Load(SlotTable* slots) {
    EXPECT_TRUE(FoldSlotJournals(store_.get()).ok());
    std::vector<std::pair<SlotId, Status>> corrupt;
    EXPECT_TRUE(slots->LoadAll([](SlotId) { return true; }, &corrupt).ok());
    return corrupt;
  }

  NoObserver observer_;
};

TEST_F(LossAtStartTest, WithoutLossAllIsAsItWas) {
  SlotTable slots(store_.get(), &observer_, 1 << 20);
  EXPECT_TRUE(Load(&slots).empty());
  EXPECT_EQ(slots.known(), std::set<SlotId>{kSlot});
  EXPECT_EQ(slots.At(kSlot).row_count(), 3u);
}

TEST_F(LossAtStartTest, LostRowsAreHolesUntilTheSlotIsMadeAnew) {
  Note({{Table::kRows, storage::WithSlot(kSlot, StringRow("b")), storage::WithSlot(kSlot + 5, "x")}});
  for (int start = 0; start < 2; ++start) {
    SlotTable slots(store_.get(), &observer_, 1 << 20);
    const auto corrupt = Load(&slots);
    ASSERT_EQ(corrupt.size(), 1u) << "slots without anything have lost nothing";
    EXPECT_EQ(corrupt[0].first, kSlot);
    slots.SetAside(kSlot);
    ASSERT_NE(slots.At(kSlot).aside(), nullptr);
    const auto remains = slots.At(kSlot).Remains();
    ASSERT_TRUE(remains.ok());
    EXPECT_TRUE(remains->HasHoleAt(StringRow("b")));
    EXPECT_EQ(remains->clock.Get({NodeId{1}, 1}), 3u);
  }
  SlotTable slots(store_.get(), &observer_, 1 << 20);
  Load(&slots);
  slots.SetAside(kSlot);
  ASSERT_TRUE(slots.At(kSlot).Replace(SlotImage()).ok());
  std::vector<SlotId> touched;
  slots.SaveTouched(&touched);
  ASSERT_TRUE(store_->Commit(storage::Durability::kDisk).ok());
  SlotTable after(store_.get(), &observer_, 1 << 20);
  EXPECT_TRUE(Load(&after).empty());
}

TEST_F(LossAtStartTest, AClockThatIsLostIsNotBelieved) {
  Note({{Table::kSlots, storage::SlotPrefix(kSlot), storage::SlotPrefix(kSlot)}});
  SlotTable slots(store_.get(), &observer_, 1 << 20);
  ASSERT_EQ(Load(&slots).size(), 1u);
  EXPECT_FALSE(slots.At(kSlot).is_loaded());
  EXPECT_TRUE(slots.At(kSlot).clock().empty());
  slots.SetAside(kSlot);
  EXPECT_EQ(slots.At(kSlot).aside(), nullptr);
}

/// Fails at one row.
class FailingObserver final : public storage::RowObserver {
 public:
  FailingObserver(std::string row_key, Status status)
      : row_key_(std::move(row_key)), status_(std::move(status)) {}
  Status OnRowChange(const storage::ObservedChange& change, storage::RowStore*) override {
    return change.row_key == row_key_ ? status_ : Status::Ok();
  }

 private:
  const std::string row_key_;
  const Status status_;
};

// An event of two rows, at the second of which the observer fails.
Status ApplyHalf(SlotTable* slots, SlotId slot, uint64_t counter) {
  causality::Event event;
  event.slot = slot;
  event.dot = {{NodeId{1}, 1}, counter};
  for (const char* key : {"x", "y"}) {
    event.changes.push_back(
        {StringRow(key), {}, {{causality::CellKind::kValue, event.dot, counter, 1, "v", {}}}});
  }
  return slots->Apply(event, causality::MakeEventPtr(event));
}

// Half of an event is in the batch, which is committed; then the process ends before the slot is whole again.
TEST_F(LossAtStartTest, HalfOfAnEventIsAHoleAfterARestartToo) {
  FailingObserver failing(StringRow("y"), Status::Corruption("made by the test"));
  {
    SlotTable slots(store_.get(), &failing, 1 << 20);
    ASSERT_TRUE(Load(&slots).empty());
    ASSERT_FALSE(ApplyHalf(&slots, kSlot, 4).ok());
    EXPECT_TRUE(slots.At(kSlot).is_half_done());
    slots.SetAside(kSlot);
    std::vector<SlotId> touched;
    slots.SaveTouched(&touched);
    ASSERT_TRUE(store_->Commit(storage::Durability::kDisk).ok());
  }
  SlotTable slots(store_.get(), &observer_, 1 << 20);
  ASSERT_EQ(Load(&slots).size(), 1u);
  slots.SetAside(kSlot);
  const auto remains = slots.At(kSlot).Remains();
  ASSERT_TRUE(remains.ok());
  EXPECT_EQ(remains->clock.Get({NodeId{1}, 1}), 3u);
  EXPECT_TRUE(remains->HasHoleAt(StringRow("x")));
  EXPECT_TRUE(remains->HasHoleAt(StringRow("y")));
  EXPECT_FALSE(remains->HasHoleAt(StringRow("a")));
}

// Rows are read before any is written: an event that met damage there has done nothing, and no row is unknown for it.
TEST_F(LossAtStartTest, AnEventThatFailedBeforeItChangedAnythingLeavesNoHole) {
  SlotTable slots(store_.get(), &observer_, 1 << 20);
  ASSERT_TRUE(Load(&slots).empty());
  database_.CorruptValue(Table::kRows, storage::WithSlot(kSlot, StringRow("b")));
  causality::Event event;
  event.slot = kSlot;
  event.dot = {{NodeId{1}, 1}, 4};
  for (const char* key : {"a", "b"}) {
    event.changes.push_back({StringRow(key), {}, {{causality::CellKind::kValue, event.dot, 4, 1, "v", {}}}});
  }
  ASSERT_EQ(slots.Apply(event, causality::MakeEventPtr(event)).code(), StatusCode::kCorruption);
  EXPECT_FALSE(slots.At(kSlot).is_half_done());
  slots.SetAside(kSlot);
  const auto remains = slots.At(kSlot).Remains();
  ASSERT_TRUE(remains.ok());
  EXPECT_FALSE(remains->HasHoleAt(StringRow("a")));
  EXPECT_TRUE(remains->HasHoleAt(StringRow("b")));
  std::vector<SlotId> touched;
  slots.SaveTouched(&touched);
  ASSERT_TRUE(store_->Commit(storage::Durability::kDisk).ok());
  EXPECT_TRUE(LoadLosses(*store_)->empty());
}

// Of the very first event, too: rows without a clock are not believed.
TEST_F(LossAtStartTest, HalfOfAFirstEventIsGoneAfterARestart) {
  constexpr SlotId kOther = kSlot + 1;
  FailingObserver failing(StringRow("y"), Status::IoError("made by the test"));
  {
    SlotTable slots(store_.get(), &failing, 1 << 20);
    ASSERT_FALSE(ApplyHalf(&slots, kOther, 1).ok());
    slots.SetAside(kOther);
    std::vector<SlotId> touched;
    slots.SaveTouched(&touched);
    ASSERT_TRUE(store_->Commit(storage::Durability::kDisk).ok());
    ASSERT_TRUE(store_->Scan(Table::kRows, storage::SlotPrefix(kOther))->Valid()) << "nothing was half done";
  }
  SlotTable slots(store_.get(), &observer_, 1 << 20);
  EXPECT_TRUE(Load(&slots).empty());
  ASSERT_TRUE(store_->Commit(storage::Durability::kDisk).ok());
  EXPECT_FALSE(store_->Scan(Table::kRows, storage::SlotPrefix(kOther))->Valid());
  EXPECT_FALSE(LoadLosses(*store_)->contains(kOther));
}

// Nobody has the other half: the dot is not given to another event.
TEST_F(LossAtStartTest, TheOnlyHomeCountsHalfOfAnEventAsTheWhole) {
  FailingObserver failing(StringRow("y"), Status::IoError("made by the test"));
  SlotTable slots(store_.get(), &failing, 1 << 20);
  ASSERT_TRUE(Load(&slots).empty());
  ASSERT_FALSE(ApplyHalf(&slots, kSlot, 4).ok());
  ASSERT_TRUE(slots.At(kSlot).Rebuild().ok());
  EXPECT_EQ(slots.At(kSlot).clock().Get({NodeId{1}, 1}), 4u);
  EXPECT_FALSE(slots.At(kSlot).is_half_done());
}

TEST_F(LossAtStartTest, TheOnlyHomeKeepsWhatCanBeRead) {
  Note({{Table::kRows, storage::WithSlot(kSlot, StringRow("b")), storage::WithSlot(kSlot, StringRow("b"))}});
  SlotTable slots(store_.get(), &observer_, 1 << 20);
  ASSERT_EQ(Load(&slots).size(), 1u);
  ASSERT_TRUE(slots.At(kSlot).Rebuild().ok());
  EXPECT_EQ(slots.At(kSlot).row_count(), 3u);
  EXPECT_EQ(slots.At(kSlot).clock().Get({NodeId{1}, 1}), 3u);
  EXPECT_FALSE(slots.At(kSlot).has_loss());
}

}  // namespace
}  // namespace orrery::replication

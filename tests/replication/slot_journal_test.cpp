#include "orrery/replication/slot_journal.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "orrery/storage/memory_row_store.h"
#include "orrery/storage/row_key.h"
#include "replication/test_replica.h"

namespace orrery::replication {
namespace {

using storage::Table;

class SlotJournalTest : public testing::Test {
 protected:
  void Save(SlotJournal* journal, const std::map<SlotId, std::string>& states) {
    std::vector<SlotId> slots;
    for (const auto& [slot, state] : states) {
      slots.push_back(slot);
      newest_[slot] = state;
    }
    journal->Save(slots, [this](SlotId slot, std::string* bytes) { bytes->append(newest_.at(slot)); });
    ASSERT_TRUE(store_->Commit(storage::Durability::kDisk).ok());
  }

  std::map<SlotId, std::string> Many(const std::string& state) {
    std::map<SlotId, std::string> states;
    for (SlotId slot = 10; slot < 20; ++slot) states[slot] = state;
    return states;
  }

  std::string Loaded(SlotId slot) {
    const auto bytes = store_->Get(Table::kSlots, storage::SlotPrefix(slot));
    EXPECT_TRUE(bytes.ok());
    if (!bytes.ok() || !*bytes) return "";
    const auto own = SlotJournal::ParseOwn(**bytes);
    return own ? std::string(own->state) : "damaged";
  }

  size_t Records() {
    size_t records = 0;
    for (auto cursor = store_->Scan(Table::kSlots, "\xff\xff"); cursor->Valid(); cursor->Next()) ++records;
    return records;
  }

  storage::MemoryDatabase database_;
  std::unique_ptr<storage::RowStore> store_ = database_.OpenShard();
  std::map<SlotId, std::string> newest_;
};

TEST_F(SlotJournalTest, WritesManySlotsOfATurnAsOneRecord) {
  SlotJournal journal(store_.get(), 0, 1 << 20);
  Save(&journal, Many("first"));
  EXPECT_EQ(Records(), 1u);
  EXPECT_EQ(Loaded(10), "");
  ASSERT_TRUE(FoldSlotJournals(store_.get()).ok());
  EXPECT_EQ(Records(), 0u);
  EXPECT_EQ(Loaded(10), "first");
  EXPECT_EQ(Loaded(19), "first");
}

TEST_F(SlotJournalTest, AnOwnValueWrittenLaterWinsOverTheJournal) {
  SlotJournal journal(store_.get(), 0, 1 << 20);
  Save(&journal, Many("first"));
  Save(&journal, {{12, "second"}});
  ASSERT_TRUE(FoldSlotJournals(store_.get()).ok());
  EXPECT_EQ(Loaded(12), "second");
  EXPECT_EQ(Loaded(13), "first");
}

TEST_F(SlotJournalTest, ARecordWrittenLaterWinsOverTheOwnValue) {
  SlotJournal journal(store_.get(), 0, 1 << 20);
  Save(&journal, {{12, "first"}});
  Save(&journal, Many("second"));
  ASSERT_TRUE(FoldSlotJournals(store_.get()).ok());
  EXPECT_EQ(Loaded(12), "second");
}

TEST_F(SlotJournalTest, ALongJournalDropsItsOldestRecordsButNoState) {
  SlotJournal journal(store_.get(), 0, 200);
  Save(&journal, {{1, "one"}, {2, "two"}, {3, "three"}});
  for (int i = 0; i < 100; ++i) Save(&journal, Many("turn " + std::to_string(i)));
  EXPECT_LE(journal.bytes(), 200u);
  EXPECT_EQ(Loaded(2), "two");
  ASSERT_TRUE(FoldSlotJournals(store_.get()).ok());
  for (const auto& [slot, state] : newest_) EXPECT_EQ(Loaded(slot), state) << slot;
}

TEST_F(SlotJournalTest, AnotherLoopMayOwnASlotAfterAStart) {
  SlotJournal first(store_.get(), 3, 1 << 20);
  Save(&first, Many("first life"));
  ASSERT_TRUE(FoldSlotJournals(store_.get()).ok());
  SlotJournal second(store_.get(), 0, 1 << 20);
  const auto own = store_->Get(Table::kSlots, storage::SlotPrefix(10));
  ASSERT_TRUE(own.ok() && *own);
  second.StartAfter(SlotJournal::ParseOwn(**own)->as_of);
  Save(&second, Many("second life"));
  ASSERT_TRUE(FoldSlotJournals(store_.get()).ok());
  EXPECT_EQ(Loaded(10), "second life");
}

TEST_F(SlotJournalTest, RandomTurnsWithCrashesLoadWhatWasSavedLast) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int life = 0; life < 20; ++life) {
    SlotJournal journal(store_.get(), random() % 3, 300);
    for (const auto& [slot, state] : newest_) {
      const auto own = store_->Get(Table::kSlots, storage::SlotPrefix(slot));
      ASSERT_TRUE(own.ok() && *own);
      journal.StartAfter(SlotJournal::ParseOwn(**own)->as_of);
    }
    for (int turn = 0; turn < 30; ++turn) {
      std::map<SlotId, std::string> states;
      const size_t count = 1 + random() % 6;
      while (states.size() < count) states[static_cast<SlotId>(random() % 12)] = std::to_string(random());
      Save(&journal, states);
    }
    ASSERT_TRUE(FoldSlotJournals(store_.get()).ok());
    for (const auto& [slot, state] : newest_) EXPECT_EQ(Loaded(slot), state) << slot;
  }
}

// The journal of the next life began below the state of the dropped slot: a record of what came back to it did not count.
TEST_F(SlotJournalTest, WhatComesBackToADroppedSlotIsLoaded) {
  constexpr SlotId kSlot = 7;
  NoObserver observer;
  const auto end_turn = [&](SlotTable* table) {
    for (SlotId other = 10; other < 20; ++other) table->Drop(other);
    std::vector<SlotId> touched;
    table->SaveTouched(&touched);
    ASSERT_TRUE(store_->Commit(storage::Durability::kDisk).ok());
  };
  const auto start = [&] {
    EXPECT_TRUE(FoldSlotJournals(store_.get()).ok());
    auto table = std::make_unique<SlotTable>(store_.get(), &observer, size_t{1} << 20);
    std::vector<std::pair<SlotId, Status>> corrupt;
    EXPECT_TRUE(table->LoadAll([](SlotId) { return true; }, &corrupt).ok());
    EXPECT_TRUE(corrupt.empty());
    return table;
  };
  auto table = start();
  for (int turn = 0; turn < 5; ++turn) end_turn(table.get());
  table->Drop(kSlot);
  end_turn(table.get());

  table = start();
  causality::Event event;
  event.slot = kSlot;
  event.dot = {{NodeId{1}, 1}, 1};
  ASSERT_TRUE(table->Apply(event, nullptr).ok());
  end_turn(table.get());

  table = start();
  ASSERT_NE(table->Find(kSlot), nullptr);
  EXPECT_TRUE(table->At(kSlot).clock().Covers(event.dot));
}

TEST_F(SlotJournalTest, AfterAnUnreadableRecordEverySlotIsDamaged) {
  SlotJournal journal(store_.get(), 0, 1 << 20);
  Save(&journal, Many("first"));
  auto cursor = store_->Scan(Table::kSlots, "\xff\xff");
  const std::string key(cursor->key());
  const std::string value(cursor->value());
  cursor.reset();
  store_->Put(Table::kSlots, key, value.substr(0, value.size() - 2));
  ASSERT_TRUE(store_->Commit(storage::Durability::kDisk).ok());
  ASSERT_TRUE(FoldSlotJournals(store_.get()).ok());
  EXPECT_EQ(Records(), 0u);
  EXPECT_EQ(Loaded(10), "damaged");
  EXPECT_EQ(Loaded(4000), "damaged");
}

}  // namespace
}  // namespace orrery::replication

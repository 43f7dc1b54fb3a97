// Memtables that drop the older version of a row when a newer one comes.

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "orrery/storage/row_key.h"
#include "storage/memtable_db.h"
#include "storage/slot_memtable.h"
#include "storage/test_random.h"

namespace orrery::storage {
namespace {

/// As in the store.
class DroppingMemTableTest : public testing::Test, public MemTableDb {
 protected:
  DroppingMemTableTest() { Open(NewSlotMemTableFactory(size_t{256} << 20, nullptr, snapshots_)); }

  uint64_t MemoryBytes() {
    uint64_t bytes = 0;
    EXPECT_TRUE(db_->GetIntProperty(rocksdb::DB::Properties::kSizeAllMemTables, &bytes));
    return bytes;
  }
  const rocksdb::Snapshot* TakeSnapshot() {
    snapshots_->Add();
    return db_->GetSnapshot();
  }
  void Release(const rocksdb::Snapshot* snapshot) {
    db_->ReleaseSnapshot(snapshot);
    snapshots_->Remove();
  }

  const std::shared_ptr<SnapshotCount> snapshots_ = std::make_shared<SnapshotCount>();
};

std::string RowOf(int i) {
  return EncodeRowKey(static_cast<SlotId>(i % kSlotCount),
                      {0, "key:" + std::to_string(i), RowTag::kString, {}});
}

TEST_F(DroppingMemTableTest, WhatIsWrittenAgainAndAgainTakesNoMoreMemory) {
  TestRandom random;
  const auto write_all = [&] {
    for (int i = 0; i < 2000; ++i) Put(RowOf(i), std::string(20 + random.Below(8), 'v'));
  };
  write_all();
  write_all();
  const uint64_t before = MemoryBytes();
  for (int round = 0; round < 50; ++round) write_all();
  // Kept, these versions would take some ten megabytes.
  EXPECT_LT(MemoryBytes(), before + (uint64_t{1} << 20));
  EXPECT_EQ(Read().size(), 2000u);
}

TEST_F(DroppingMemTableTest, AJournalTakesTheMemoryOfWhatIsInIt) {
  const auto record = [](int i) { return "\xff\xff" + std::to_string(10'000 + i); };
  const std::string states(2000, 's');
  constexpr int kKept = 50;
  const auto write = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      Put(record(i), states);
      if (i >= kKept) {
        ASSERT_TRUE(db_->Delete(rocksdb::WriteOptions(), record(i - kKept)).ok());
      }
      Put(SlotPrefix(kSlotCount - 1), std::to_string(i));
    }
  };
  write(0, 100);
  const uint64_t before = MemoryBytes();
  write(100, 5000);
  // Kept, these records would take ten megabytes.
  EXPECT_LT(MemoryBytes(), before + (uint64_t{2} << 20));
  Rows expected{{SlotPrefix(kSlotCount - 1), "4999"}};
  for (int i = 5000 - kKept; i < 5000; ++i) expected.emplace_back(record(i), states);
  EXPECT_EQ(Read(), expected);
}

TEST_F(DroppingMemTableTest, AFlushWritesWhatIsLeft) {
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 300; ++i) Put(RowOf(i), std::to_string(round));
  }
  ASSERT_TRUE(db_->Delete(rocksdb::WriteOptions(), RowOf(7)).ok());
  ASSERT_TRUE(db_->Flush(rocksdb::FlushOptions()).ok());
  EXPECT_EQ(Read().size(), 299u);
  EXPECT_EQ(Get(RowOf(7)), "(none)");
  EXPECT_EQ(Get(RowOf(8)), "4");
  // What a table file has is behind what is deleted now.
  ASSERT_TRUE(db_->Delete(rocksdb::WriteOptions(), RowOf(8)).ok());
  Put(RowOf(8), "again");
  ASSERT_TRUE(db_->Delete(rocksdb::WriteOptions(), RowOf(8)).ok());
  EXPECT_EQ(Get(RowOf(8)), "(none)");
}

TEST_F(DroppingMemTableTest, SnapshotsAndWalksKeepWhatTheySee) {
  TestRandom random;
  std::map<std::string, std::string> model;
  struct View {
    Rows rows;
    const rocksdb::Snapshot* snapshot = nullptr;
    std::unique_ptr<rocksdb::Iterator> walk;
  };
  std::vector<View> views;
  const auto end_view = [&](View& view) {
    Rows seen;
    if (view.snapshot != nullptr) {
      seen = Read(view.snapshot);
      Release(view.snapshot);
    } else {
      for (; view.walk->Valid(); view.walk->Next())
        seen.emplace_back(view.walk->key().ToString(), view.walk->value().ToString());
    }
    ASSERT_EQ(seen, view.rows);
  };
  for (int step = 0; step < 20000; ++step) {
    // Few slots and keys, so that buckets hold several, and towers meet.
    const std::string key = EncodeRowKey(
        static_cast<SlotId>(random.Below(3)),
        {0, std::string(1, static_cast<char>('a' + random.Below(3))), RowTag::kHash, random.Bytes(2, "xyz")});
    if (random.OneIn(4)) {
      ASSERT_TRUE(db_->Delete(rocksdb::WriteOptions(), key).ok());
      model.erase(key);
    } else {
      const std::string value(random.Below(200), static_cast<char>('a' + step % 26));
      Put(key, value);
      model[key] = value;
    }
    ASSERT_EQ(Get(key), model.contains(key) ? model[key] : "(none)");
    if (random.OneIn(100)) {
      View view{{model.begin(), model.end()}, nullptr, nullptr};
      if (random.OneIn(2)) {
        view.snapshot = TakeSnapshot();
      } else {
        view.walk = NewIterator();
        view.walk->SeekToFirst();
      }
      views.push_back(std::move(view));
    }
    if (!views.empty() && random.OneIn(60)) {
      const size_t place = random.Below(views.size());
      end_view(views[place]);
      views.erase(views.begin() + static_cast<std::ptrdiff_t>(place));
    }
    if (random.OneIn(5000)) {
      ASSERT_TRUE(db_->Flush(rocksdb::FlushOptions()).ok());
    }
    if (HasFatalFailure()) return;
  }
  for (View& view : views) end_view(view);
  views.clear();
  EXPECT_EQ(Read(), Rows(model.begin(), model.end()));
}

TEST_F(DroppingMemTableTest, EachThreadSeesItsOwnSlotsWhole) {
  constexpr int kThreads = 3;
  constexpr int kRounds = 3000;
  constexpr int kKeys = 8;
  constexpr size_t kLongest = 100;
  const auto work = [&](SlotId slot) {
    // The round in the first bytes; memory of its own for as long as the thread lives.
    std::string value(kLongest, 'v');
    std::vector<std::string> rows;
    for (int key = 0; key < kKeys; ++key)
      rows.push_back(EncodeRowKey(slot, {0, "key", RowTag::kHash, std::to_string(key)}));
    const std::string prefix = SlotPrefix(slot);
    rocksdb::WriteBatch batch;
    rocksdb::PinnableSlice read;
    for (int round = 0; round < kRounds; ++round) {
      std::memcpy(value.data(), &round, sizeof(round));
      const rocksdb::Slice expected(value.data(), kLongest / 2 + static_cast<size_t>(round) % (kLongest / 2));
      batch.Clear();
      for (const std::string& row : rows) ASSERT_TRUE(batch.Put(row, expected).ok());
      ASSERT_TRUE(db_->Write(rocksdb::WriteOptions(), &batch).ok());
      read.Reset();
      const std::string& row = rows[static_cast<size_t>(round % kKeys)];
      ASSERT_TRUE(db_->Get(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), row, &read).ok());
      ASSERT_TRUE(read == expected);
      if (round % 8 != 0) continue;
      const auto it = NewIterator();
      int seen = 0;
      for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next(), ++seen)
        ASSERT_TRUE(it->value() == expected);
      ASSERT_EQ(seen, kKeys);
    }
  };
  std::vector<std::thread> threads;
  for (SlotId slot = 0; slot < kThreads; ++slot) threads.emplace_back(work, slot);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Read().size(), static_cast<size_t>(kThreads * kKeys));
}

}  // namespace
}  // namespace orrery::storage

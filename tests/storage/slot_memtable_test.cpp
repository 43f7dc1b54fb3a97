#include "storage/slot_memtable.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "orrery/storage/row_key.h"
#include "storage/bucket_set.h"
#include "storage/entry_memory.h"
#include "storage/store_harness.h"
#include "storage/test_random.h"

namespace orrery::storage {

namespace {

using std::string_literals::operator""s;

TEST(BucketSetTest, FindsNeighboursAsASetDoes) {
  TestRandom random;
  for (const size_t size : {size_t{1}, size_t{64}, size_t{65}, size_t{5000}, BucketSet::kLargestSize}) {
    BucketSet buckets(size);
    std::set<size_t> model;
    EXPECT_EQ(buckets.Next(0), BucketSet::kNone);
    EXPECT_EQ(buckets.Previous(size - 1), BucketSet::kNone);
    for (int i = 0; i < 3000; ++i) {
      if (random.OneIn(20)) {
        const size_t number = random.Below(size);
        buckets.Add(number);
        model.insert(number);
      }
      const size_t from = random.Below(size);
      const auto next = model.lower_bound(from), behind = model.upper_bound(from);
      ASSERT_EQ(buckets.Next(from), next == model.end() ? BucketSet::kNone : *next);
      ASSERT_EQ(buckets.Previous(from), behind == model.begin() ? BucketSet::kNone : *std::prev(behind));
    }
    EXPECT_EQ(buckets.Next(size), BucketSet::kNone);
  }
}

/// The memtable inside a RocksDB that never flushes it.
class SlotMemTableTest : public testing::TestWithParam<size_t> {
 protected:
  SlotMemTableTest() : path_(NewTestDirectory()) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.allow_concurrent_memtable_write = false;
    options.write_buffer_size = size_t{256} << 20;
    options.memtable_factory = NewSlotMemTableFactory(GetParam(), latest_);
    rocksdb::DB* db = nullptr;
    EXPECT_TRUE(rocksdb::DB::Open(options, path_, &db).ok());
    db_.reset(db);
  }
  ~SlotMemTableTest() override {
    db_.reset();
    std::filesystem::remove_all(path_);
  }

  void Put(const std::string& key, const std::string& value) {
    ASSERT_TRUE(db_->Put(rocksdb::WriteOptions(), key, value).ok());
  }
  std::string Get(const std::string& key) {
    std::string value;
    const rocksdb::Status read = db_->Get(rocksdb::ReadOptions(), key, &value);
    return read.IsNotFound() ? "(none)" : value;
  }
  std::unique_ptr<rocksdb::Iterator> NewIterator(const rocksdb::Snapshot* snapshot = nullptr) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options));
  }
  Rows ReadForward(const rocksdb::Snapshot* snapshot = nullptr) {
    Rows rows;
    const auto it = NewIterator(snapshot);
    for (it->SeekToFirst(); it->Valid(); it->Next())
      rows.emplace_back(it->key().ToString(), it->value().ToString());
    return rows;
  }

  const std::string path_;
  const std::shared_ptr<LatestBuckets> latest_ = std::make_shared<LatestBuckets>();
  std::unique_ptr<rocksdb::DB> db_;
};

// One bucket for each slot, and the most there can be.
INSTANTIATE_TEST_SUITE_P(WriteBufferBytes, SlotMemTableTest,
                         testing::Values(size_t{1} << 20, size_t{256} << 20));

TEST_P(SlotMemTableTest, KeepsKeysOfAnyFormInOrder) {
  const std::vector<std::string> ascending = {"",
                                              "\0"s,
                                              "\0\0"s,
                                              "\0\0\0"s,
                                              "\0\0\0\x0f"s,
                                              "\0\0\0\x10"s,
                                              "\0\0\0\xff"s,
                                              "\0\0\1"s,
                                              "\0\0\1\0"s,
                                              "\0\0\xff\xff"s,
                                              "\0\1"s,
                                              "\0\1\0\x80z"s,
                                              "\x3f\xff"s,
                                              "\x3f\xff\xff\xff"s,
                                              "\x40\x00"s,
                                              "\x80"s,
                                              "\xff\xff"s,
                                              "\xff\xff\xff\xff"s};
  Rows expected;
  for (const std::string& key : ascending) expected.emplace_back(key, "of " + key);
  for (auto it = expected.rbegin(); it != expected.rend(); ++it) Put(it->first, it->second);
  EXPECT_EQ(ReadForward(), expected);
  for (const auto& [key, value] : expected) EXPECT_EQ(Get(key), value);
}

TEST_P(SlotMemTableTest, AgreesWithAMapInBothDirections) {
  TestRandom random;
  std::map<std::string, std::string> model;
  const auto random_key = [&] {
    if (random.OneIn(4)) return random.Bytes(6, "\0\1\x3f\x40\xff"s);
    const std::string key = random.Bytes(2, "abcd");
    return EncodeRowKey(static_cast<SlotId>(random.Below(3) * 8191),
                        {static_cast<uint8_t>(random.Below(2)), key, RowTag::kString, {}});
  };
  const auto it_is_at = [](const rocksdb::Iterator& it, auto expected, auto end) {
    ASSERT_EQ(it.Valid(), expected != end);
    if (!it.Valid()) return;
    ASSERT_EQ(it.key().ToString(), expected->first);
    ASSERT_EQ(it.value().ToString(), expected->second);
  };
  for (int step = 0; step < 5000; ++step) {
    const std::string key = random_key();
    if (random.OneIn(4)) {
      ASSERT_TRUE(db_->Delete(rocksdb::WriteOptions(), key).ok());
      model.erase(key);
    } else {
      Put(key, std::to_string(step));
      model[key] = std::to_string(step);
    }
    const std::string place = random_key();
    const auto there = model.find(place);
    ASSERT_EQ(Get(place), there == model.end() ? "(none)" : there->second);
    const auto it = NewIterator();
    it->Seek(place);
    auto forward = model.lower_bound(place);
    it_is_at(*it, forward, model.end());
    if (it->Valid()) {
      it->Next();
      it_is_at(*it, ++forward, model.end());
    }
    it->SeekForPrev(place);
    auto backward = std::make_reverse_iterator(model.upper_bound(place));
    it_is_at(*it, backward, model.rend());
    if (it->Valid()) {
      it->Prev();
      it_is_at(*it, ++backward, model.rend());
    }
    it->SeekToLast();
    it_is_at(*it, model.rbegin(), model.rend());
    if (HasFatalFailure()) return;
  }
}

TEST_P(SlotMemTableTest, ManyRowsOfOneKeyFallIntoOneBucketAndAreStillFound) {
  constexpr int kRows = 20000;
  const auto row = [](int i) {
    return EncodeRowKey(5, {0, "collection", RowTag::kHash, std::to_string(i * 7919 % kRows)});
  };
  for (int i = 0; i < kRows; ++i) Put(row(i), std::to_string(i));
  for (int i = 0; i < kRows; i += 97) ASSERT_EQ(Get(row(i)), std::to_string(i));
  const Rows rows = ReadForward();
  EXPECT_EQ(rows.size(), static_cast<size_t>(kRows));
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
}

TEST_P(SlotMemTableTest, SnapshotSeesTheVersionsOfItsTime) {
  for (int i = 0; i < 100; ++i) Put(SlotPrefix(static_cast<SlotId>(i % 7)), "before " + std::to_string(i));
  const Rows before = ReadForward();
  const rocksdb::Snapshot* const snapshot = db_->GetSnapshot();
  for (int i = 0; i < 100; ++i) Put(SlotPrefix(static_cast<SlotId>(i % 14)), "after " + std::to_string(i));
  EXPECT_EQ(ReadForward(snapshot), before);
  EXPECT_EQ(ReadForward().size(), 14u);
  db_->ReleaseSnapshot(snapshot);
}

TEST_P(SlotMemTableTest, BucketsOutliveTheirMemtable) {
  const auto buckets = latest_->Get();
  ASSERT_NE(buckets, nullptr);
  Put(SlotPrefix(7), "value");
  ASSERT_TRUE(db_->Flush(rocksdb::FlushOptions()).ok());
  EXPECT_NE(latest_->Get(), buckets);
  db_.reset();
  // Hints on what is gone do no harm.
  for (const std::string& key : {""s, "\0"s, SlotPrefix(7), SlotPrefix(kSlotCount - 1), "\xff\xff"s}) {
    PrefetchBucket(*buckets, key);
    PrefetchFirstEntry(*buckets, key);
  }
}

TEST_P(SlotMemTableTest, ReadersSeeWholeCommitsWhileTheWriterWrites) {
  std::atomic<bool> is_written = false;
  std::atomic<uint64_t> walks = 0;
  std::thread reader([&] {
    while (!is_written || walks == 0) {
      // Each commit puts the same number under a row of every slot that it touches.
      const auto it = NewIterator();
      std::string first;
      for (it->SeekToFirst(); it->Valid(); it->Next()) {
        if (first.empty()) first = it->value().ToString();
        ASSERT_EQ(it->value().ToString(), first);
      }
      Get(SlotPrefix(1));
      PrefetchFirstEntry(*latest_->Get(), SlotPrefix(800));
      ++walks;
    }
  });
  for (int commit = 0; commit < 2000; ++commit) {
    rocksdb::WriteBatch batch;
    for (SlotId slot = 0; slot < 20; ++slot) {
      ASSERT_TRUE(batch.Put(SlotPrefix(static_cast<SlotId>(slot * 800)), std::to_string(commit)).ok());
    }
    ASSERT_TRUE(db_->Write(rocksdb::WriteOptions(), &batch).ok());
  }
  is_written = true;
  reader.join();
  EXPECT_GT(walks, 0u);
}

/// The same with older versions dropped, as in the store.
class DroppingMemTableTest : public testing::Test {
 protected:
  DroppingMemTableTest() : path_(NewTestDirectory()) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.allow_concurrent_memtable_write = false;
    options.flush_verify_memtable_count = false;
    options.write_buffer_size = size_t{256} << 20;
    options.memtable_factory = NewSlotMemTableFactory(options.write_buffer_size, nullptr, snapshots_);
    rocksdb::DB* db = nullptr;
    EXPECT_TRUE(rocksdb::DB::Open(options, path_, &db).ok());
    db_.reset(db);
  }
  ~DroppingMemTableTest() override {
    db_.reset();
    std::filesystem::remove_all(path_);
  }

  void Put(const std::string& key, const std::string& value) {
    ASSERT_TRUE(db_->Put(rocksdb::WriteOptions(), key, value).ok());
  }
  std::string Get(const std::string& key) {
    std::string value;
    return db_->Get(rocksdb::ReadOptions(), key, &value).ok() ? value : "(none)";
  }
  Rows Read(const rocksdb::Snapshot* snapshot = nullptr) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
    Rows rows;
    for (it->SeekToFirst(); it->Valid(); it->Next())
      rows.emplace_back(it->key().ToString(), it->value().ToString());
    return rows;
  }
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

  const std::string path_;
  const std::shared_ptr<SnapshotCount> snapshots_ = std::make_shared<SnapshotCount>();
  std::unique_ptr<rocksdb::DB> db_;
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
        view.walk.reset(db_->NewIterator(rocksdb::ReadOptions()));
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
      const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(rocksdb::ReadOptions()));
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

TEST(EntryMemoryTest, GivesMemoryOfTheSizeThatIsAskedFor) {
  for (size_t bytes = 1; bytes < 100'000; bytes += 1 + bytes / 50) {
    const size_t rounded = EntryMemory::RoundUp(bytes);
    ASSERT_GE(rounded, bytes);
    ASSERT_LE(rounded, std::max<size_t>(64, bytes + bytes / 8 + 1));
    ASSERT_EQ(EntryMemory::RoundUp(rounded), rounded);
    ASSERT_EQ(rounded % alignof(void*), 0u);
  }
  EntryMemory memory;
  EXPECT_TRUE(memory.empty());
  std::map<size_t, std::unique_ptr<char[]>> given;
  for (size_t bytes = 1; bytes <= size_t{1} << 20; bytes = EntryMemory::RoundUp(bytes) + 1) {
    const size_t rounded = EntryMemory::RoundUp(bytes);
    EXPECT_EQ(memory.Take(rounded), nullptr);
    given[rounded] = std::make_unique<char[]>(rounded);
    memory.Give(given[rounded].get(), rounded);
  }
  EXPECT_FALSE(memory.empty());
  for (const auto& [bytes, place] : given) {
    EXPECT_EQ(memory.Take(bytes), place.get()) << bytes;
    EXPECT_EQ(memory.Take(bytes), nullptr);
  }
  // Too large to be worth keeping.
  const size_t large = EntryMemory::RoundUp(size_t{1} << 21);
  const auto place = std::make_unique<char[]>(large);
  memory.Give(place.get(), large);
  EXPECT_EQ(memory.Take(large), nullptr);
}

}  // namespace
}  // namespace orrery::storage

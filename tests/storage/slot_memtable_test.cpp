#include "storage/slot_memtable.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "orrery/storage/row_key.h"
#include "storage/bucket_set.h"
#include "storage/memtable_db.h"
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

class SlotMemTableTest : public testing::TestWithParam<size_t>, public MemTableDb {
 protected:
  SlotMemTableTest() { Open(NewSlotMemTableFactory(GetParam(), latest_)); }

  const std::shared_ptr<LatestBuckets> latest_ = std::make_shared<LatestBuckets>();
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
  EXPECT_EQ(Read(), expected);
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
  const Rows rows = Read();
  EXPECT_EQ(rows.size(), static_cast<size_t>(kRows));
  EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
}

TEST_P(SlotMemTableTest, SnapshotSeesTheVersionsOfItsTime) {
  for (int i = 0; i < 100; ++i) Put(SlotPrefix(static_cast<SlotId>(i % 7)), "before " + std::to_string(i));
  const Rows before = Read();
  const rocksdb::Snapshot* const snapshot = db_->GetSnapshot();
  for (int i = 0; i < 100; ++i) Put(SlotPrefix(static_cast<SlotId>(i % 14)), "after " + std::to_string(i));
  EXPECT_EQ(Read(snapshot), before);
  EXPECT_EQ(Read().size(), 14u);
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

}  // namespace
}  // namespace orrery::storage

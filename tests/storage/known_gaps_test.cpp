#include "storage/known_gaps.h"

#include <gtest/gtest.h>
#include <rocksdb/perf_context.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "storage/pending_batch.h"
#include "storage/store_harness.h"
#include "storage/test_random.h"

/// Walks over what was deleted and is not compacted away yet.
namespace orrery::storage {
namespace {

using std::string_literals::operator""s;

constexpr Table kTable = Table::kRows;

std::string Numbered(int i) {
  std::string digits = std::to_string(i);
  return "sl" + std::string(6 - digits.size(), '0') + digits;
}

TEST(KnownGaps, OfOneSlotAlone) {
  KnownGaps gaps;
  gaps.Note(kTable, "ab5", "ac7");
  ASSERT_NE(gaps.EndOf(kTable, "ab5"), nullptr);
  EXPECT_EQ(*gaps.EndOf(kTable, "ab5"), "ac");
  EXPECT_EQ(*gaps.EndOf(kTable, "ab9"), "ac");
  EXPECT_EQ(gaps.EndOf(kTable, "ab4"), nullptr);
  EXPECT_EQ(gaps.EndOf(kTable, "ac1"), nullptr);
  EXPECT_EQ(gaps.EndOf(Table::kIndex, "ab5"), nullptr);
  gaps.Note(kTable, "a", "b");
  EXPECT_EQ(gaps.size(), 1u);
}

TEST(KnownGaps, PutCutsAGapAndDeletionJoinsTwo) {
  KnownGaps gaps;
  gaps.Note(kTable, "ab2", "ab8");
  gaps.OnPut(kTable, "ab5");
  EXPECT_EQ(*gaps.EndOf(kTable, "ab3"), "ab5");
  EXPECT_EQ(gaps.EndOf(kTable, "ab5"), nullptr);
  EXPECT_EQ(*gaps.EndOf(kTable, "ab5\0"s), "ab8");
  gaps.OnDelete(kTable, "ab5");
  EXPECT_EQ(*gaps.EndOf(kTable, "ab2"), "ab8");
  gaps.OnDelete(kTable, "ab8");
  EXPECT_EQ(*gaps.EndOf(kTable, "ab2"), "ab8\0"s);
  EXPECT_EQ(gaps.size(), 1u);
}

TEST(KnownGaps, IsBounded) {
  KnownGaps gaps;
  for (int i = 0; i < 200'000; i += 2) {
    gaps.Note(kTable, Numbered(i), Numbered(i + 1));
    ASSERT_LE(gaps.size(), KnownGaps::kGapsMax);
  }
}

// Against the set of what is committed: no key of it lies in a gap, before, at or behind which anything
// happens.
TEST(KnownGaps, NeverHideAKey) {
  TestRandom random;
  for (int round = 0; round < 200; ++round) {
    KnownGaps gaps;
    std::set<std::string> keys;
    const auto random_key = [&] { return "ab" + random.Bytes(3, "xy\0\xff"s); };
    for (int step = 0; step < 300; ++step) {
      const std::string key = random_key();
      if (random.OneIn(3)) {
        keys.insert(key);
        gaps.OnPut(kTable, key);
      } else if (random.OneIn(2)) {
        keys.erase(key);
        gaps.OnDelete(kTable, key);
      } else {
        const auto next = keys.lower_bound(key);
        gaps.Note(kTable, key, next == keys.end() ? std::string() : *next);
      }
      size_t visible = 0;
      for (std::string at = "ab"; at < "ac";) {
        if (const std::string* end = gaps.EndOf(kTable, at)) at = *end;
        const auto next = keys.lower_bound(at);
        if (next == keys.end()) break;
        ++visible;
        at = *next + '\0';
      }
      ASSERT_EQ(visible, keys.size());
    }
  }
}

// A store whose rows are deleted in long runs and written again, against a map.
TEST(KnownGaps, WalksShowWhatIsThere) {
  TestRandom random;
  const auto harness = MakeRocksHarness();
  std::map<std::string, std::string> model;
  const auto put = [&](int i) {
    harness->shard().Put(kTable, Numbered(i), std::to_string(i));
    model[Numbered(i)] = std::to_string(i);
  };
  const auto erase = [&](int i) {
    harness->shard().Delete(kTable, Numbered(i));
    model.erase(Numbered(i));
  };
  constexpr int kKeys = 3000;
  for (int i = 0; i < kKeys; ++i) put(i);
  for (int step = 0; step < 1500; ++step) {
    const auto at = static_cast<int>(random.Below(kKeys));
    if (random.OneIn(3)) {
      for (int i = at; i < std::min(kKeys, at + static_cast<int>(random.Below(300))); ++i) erase(i);
    } else if (random.OneIn(30)) {
      const std::string prefix = Numbered(at).substr(0, 4 + random.Below(4));
      harness->shard().DeletePrefix(kTable, prefix);
      std::erase_if(model, [&](const auto& row) { return row.first.starts_with(prefix); });
    } else {
      put(at);
    }
    if (random.OneIn(2)) {
      ASSERT_TRUE(harness->shard().Commit(Durability::kMemory).ok());
    }
    if (random.OneIn(200)) {
      ASSERT_TRUE(harness->shard().Commit(Durability::kDisk).ok());
      harness->Restart();
    }
    const std::string prefix = Numbered(at).substr(0, 2 + random.Below(5));
    const std::string from = random.OneIn(2) ? Numbered(at) : prefix;
    Rows expected;
    for (auto it = model.lower_bound(from); it != model.end() && it->first.starts_with(prefix); ++it) {
      expected.push_back(*it);
    }
    ASSERT_EQ(ReadAll(harness->shard(), kTable, prefix, from), expected) << "step " << step;
  }
}

uint64_t SkippedBy(const RowStore& store, std::string_view prefix) {
  rocksdb::get_perf_context()->Reset();
  ReadAll(store, kTable, prefix);
  return rocksdb::get_perf_context()->internal_delete_skipped_count;
}

TEST(KnownGaps, DeletedEntriesArePassedOnce) {
  const auto harness = MakeRocksHarness();
  for (int i = 0; i < 10'000; ++i) harness->shard().Put(kTable, Numbered(i), "value");
  ASSERT_TRUE(harness->shard().Commit(Durability::kMemory).ok());
  for (int i = 0; i < 10'000; ++i) {
    if (i % 1000 != 0) harness->shard().Delete(kTable, Numbered(i));
  }
  ASSERT_TRUE(harness->shard().Commit(Durability::kMemory).ok());
  EXPECT_GT(SkippedBy(harness->shard(), "sl"), 9'000u);
  EXPECT_LT(SkippedBy(harness->shard(), "sl"), 100u);
  // What goes now makes gaps wider, and what comes is seen.
  for (int i = 1'000; i < 6'000; i += 1000) harness->shard().Delete(kTable, Numbered(i));
  harness->shard().Put(kTable, Numbered(7'777), "new");
  ASSERT_TRUE(harness->shard().Commit(Durability::kMemory).ok());
  EXPECT_LT(SkippedBy(harness->shard(), "sl"), 100u);
  EXPECT_EQ(ReadAll(harness->shard(), kTable, "sl").size(), 6u);
}

}  // namespace
}  // namespace orrery::storage

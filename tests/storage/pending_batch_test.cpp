#include "storage/pending_batch.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "storage/hash_index.h"
#include "storage/test_random.h"

namespace orrery::storage {
namespace {

TEST(PrefixEndTest, IsTheFirstStringBehindThePrefix) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd("a\xff\xff"), "b");
  EXPECT_EQ(PrefixEnd("\x7f"), "\x80");
  EXPECT_EQ(PrefixEnd("\xff\xff"), "");
  EXPECT_EQ(PrefixEnd(""), "");
}

TEST(PendingBatchTest, ClearForgetsAllAndEntriesAreUsedAgain) {
  PendingBatch batch;
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(batch.empty());
    for (int i = 0; i < 10000; ++i) {  // more than an idle batch keeps
      const std::string key = std::to_string(i);
      batch.Put(Table::kRows, key, HashRow(Table::kRows, key), std::string(1000, 'x'));
    }
    batch.DeletePrefix(Table::kSlots, "a");
    size_t changes = 0;
    batch.ForEachChange([&](const PendingBatch::Change&) { ++changes; });
    EXPECT_EQ(changes, 10000u);
    EXPECT_EQ(batch.InOrder(Table::kRows).size(), 10000u);
    EXPECT_TRUE(batch.Touches(Table::kSlots));
    EXPECT_FALSE(batch.Touches(Table::kNode));
    batch.Clear();
    EXPECT_EQ(batch.Find(Table::kRows, "1", HashRow(Table::kRows, "1")), nullptr);
    EXPECT_FALSE(batch.InDeletedPrefix(Table::kSlots, "ab"));
    EXPECT_TRUE(batch.InOrder(Table::kRows).empty());
  }
}

TEST(PendingBatchTest, DeletedPrefixesNeverContainEachOther) {
  PendingBatch batch;
  for (const char* prefix : {"ab", "abc", "b", "a", "ba", "c"}) batch.DeletePrefix(Table::kRows, prefix);
  EXPECT_EQ(batch.deleted_prefixes(Table::kRows), (PendingBatch::Prefixes{"a", "b", "c"}));
  EXPECT_TRUE(batch.InDeletedPrefix(Table::kRows, "bzz"));
  EXPECT_FALSE(batch.InDeletedPrefix(Table::kRows, "d"));
  batch.DeletePrefix(Table::kRows, "");
  EXPECT_EQ(batch.deleted_prefixes(Table::kRows), (PendingBatch::Prefixes{""}));
  EXPECT_TRUE(batch.InDeletedPrefix(Table::kRows, "d"));
  batch.Clear();
  EXPECT_TRUE(batch.empty());
}

TEST(HashIndexTest, FindsWhatAMapFindsWithFewDistinctHashes) {
  TestRandom random;
  HashIndex index;
  std::map<uint32_t, uint64_t> live;  // id -> hash
  for (int step = 0; step < 50000; ++step) {
    const auto id = static_cast<uint32_t>(random.Below(500));
    const auto it = live.find(id);
    if (it == live.end() && random.OneIn(2)) {
      const uint64_t hash = random.Below(50) * 0x9e3779b97f4a7c15;  // chains and collisions
      index.Insert(hash, id);
      live.emplace(id, hash);
    } else if (it != live.end() && random.OneIn(3)) {
      index.Erase(it->second, id);
      live.erase(it);
    } else if (it != live.end()) {
      ASSERT_EQ(index.Find(it->second, [&](uint32_t found) { return found == id; }), id);
    }
    ASSERT_EQ(index.size(), live.size());
    ASSERT_EQ(index.Find(random.Below(50) * 0x9e3779b97f4a7c15,
                         [&](uint32_t found) { return !live.contains(found); }),
              HashIndex::kNone);
    if (random.OneIn(5000)) {
      index.Clear();
      live.clear();
    }
  }
}

}  // namespace
}  // namespace orrery::storage

#include "storage/row_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "orrery/storage/row_key.h"
#include "storage/pending_batch.h"
#include "storage/test_random.h"

namespace orrery::storage {
namespace {

class RowCacheTest : public testing::Test {
 protected:
  void Put(const std::string& key, std::optional<std::string> value) {
    cache_.Put(Table::kRows, key, HashRow(Table::kRows, key), value);
  }
  std::string Find(const std::string& key) {
    const auto found = cache_.Find(Table::kRows, key, HashRow(Table::kRows, key));
    if (!found.hit) return "(miss)";
    return found.value ? std::string(*found.value) : "(absent)";
  }

  static constexpr size_t kBytesMax = 64 * 1024;
  RowCache cache_{kBytesMax};
};

TEST_F(RowCacheTest, RemembersValuesAndAbsence) {
  EXPECT_EQ(Find("a"), "(miss)");
  Put("a", "1");
  Put("b", std::nullopt);
  Put("c", "");
  EXPECT_EQ(Find("a"), "1");
  EXPECT_EQ(Find("b"), "(absent)");
  EXPECT_EQ(Find("c"), "");
  EXPECT_FALSE(cache_.Find(Table::kSlots, "a", HashRow(Table::kSlots, "a")).hit);
  Put("a", std::string(100, 'x'));  // no longer fits where it was
  EXPECT_EQ(Find("a"), std::string(100, 'x'));
  Put("a", std::nullopt);
  EXPECT_EQ(Find("a"), "(absent)");
  EXPECT_EQ(cache_.size(), 3u);
}

TEST_F(RowCacheTest, ForgetsOnRequest) {
  for (const char* key : {"a1", "a2", "b1"}) Put(key, "1");
  cache_.Erase(Table::kRows, "a1", HashRow(Table::kRows, "a1"));
  EXPECT_EQ(Find("a1"), "(miss)");
  EXPECT_EQ(Find("b1"), "1");
  cache_.Clear();
  EXPECT_EQ(Find("b1"), "(miss)");
  EXPECT_EQ(cache_.bytes(), 0u);
  EXPECT_EQ(cache_.size(), 0u);
}

TEST_F(RowCacheTest, AnErasedPrefixTakesWhatWasThereBeforeAndNothingThatComesLater) {
  const auto field = [](SlotId slot, uint8_t db, std::string_view key, std::string_view name) {
    return EncodeRowKey(slot, {db, key, RowTag::kHash, name});
  };
  for (const char* name : {"f", "g"}) {
    for (const char* key : {"erased", "kept"}) Put(field(7, 0, key, name), "1");
  }
  Put(field(8, 0, "other slot", "f"), "1");
  cache_.ErasePrefix(WithSlot(7, TagPrefix(0, "erased", RowTag::kHash)));
  EXPECT_EQ(Find(field(7, 0, "erased", "f")), "(miss)");
  Put(field(7, 0, "erased", "f"), "new");
  Put(field(7, 0, "erased", "g"), "new");
  EXPECT_EQ(Find(field(7, 0, "erased", "f")), "new");
  EXPECT_EQ(Find(field(7, 0, "erased", "g")), "new");
  EXPECT_EQ(Find(field(7, 0, "kept", "f")), "1");
  cache_.ErasePrefix(WithSlot(7, DbPrefix(0)));
  EXPECT_EQ(Find(field(7, 0, "kept", "f")), "(miss)");
  EXPECT_EQ(Find(field(7, 0, "kept", "g")), "(miss)");
  EXPECT_EQ(Find(field(8, 0, "other slot", "f")), "1");
  cache_.ErasePrefix("");
  EXPECT_EQ(Find(field(8, 0, "other slot", "f")), "(miss)");
}

TEST_F(RowCacheTest, KeepsWithinItsLimitAndKeepsWhatIsUsed) {
  Put("hot", "value");
  for (int i = 0; i < 5000; ++i) {
    Put("cold" + std::to_string(i), std::string(50, 'c'));
    ASSERT_LE(cache_.bytes(), kBytesMax);
    ASSERT_EQ(Find("hot"), "value") << i;
  }
  EXPECT_GT(cache_.size(), 100u);
  EXPECT_EQ(Find("cold0"), "(miss)");
}

TEST_F(RowCacheTest, OneLargeValueDoesNotEmptyIt) {
  for (int i = 0; i < 10; ++i) Put("key" + std::to_string(i), "1");
  Put("key0", std::string(kBytesMax / 2, 'x'));
  EXPECT_EQ(Find("key0"), "(miss)") << "the small value that it had is out of date";
  for (int i = 1; i < 10; ++i) EXPECT_EQ(Find("key" + std::to_string(i)), "1");
}

TEST_F(RowCacheTest, OfNoBytesKeepsNothing) {
  RowCache none(0);
  none.Put(Table::kRows, "a", HashRow(Table::kRows, "a"), "1");
  EXPECT_FALSE(none.Find(Table::kRows, "a", HashRow(Table::kRows, "a")).hit);
}

TEST_F(RowCacheTest, NeverAnswersWrong) {
  TestRandom random;
  std::map<std::string, std::optional<std::string>> truth;
  size_t hits = 0;
  for (int step = 0; step < 200000; ++step) {
    const std::string key = std::to_string(random.Below(2000));
    if (random.OneIn(3)) {
      std::optional<std::string> value;
      if (!random.OneIn(5)) value = std::string(random.Below(200), static_cast<char>('a' + random.Below(26)));
      truth[key] = value;
      Put(key, value);
    } else if (random.OneIn(20)) {
      cache_.Erase(Table::kRows, key, HashRow(Table::kRows, key));
    } else if (const std::string found = Find(key); found != "(miss)") {
      ++hits;
      ASSERT_EQ(found, truth.at(key).value_or("(absent)"));
    }
    ASSERT_LE(cache_.bytes(), kBytesMax);
  }
  EXPECT_GT(hits, 1000u);
}

}  // namespace
}  // namespace orrery::storage

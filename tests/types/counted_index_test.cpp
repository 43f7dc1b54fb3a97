#include "orrery/types/counted_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "orrery/storage/row_key.h"
#include "types/test_slot.h"

namespace orrery::types {
namespace {

using storage::Table;
using storage::Transaction;

/// An index beside a set that must always have the same keys.
class CountedIndexTest : public testing::Test {
 protected:
  CountedIndexTest() : random_(seed_) {}

  CountedIndexWriter Writer() {
    return CountedIndexWriter(&slot_.store(), storage::WithSlot(slot_.slot(), kPrefix));
  }
  void Insert(const std::string& key) {
    ASSERT_TRUE(Writer().Insert(key).ok());
    model_.insert(key);
  }
  void Erase(const std::string& key) {
    ASSERT_TRUE(Writer().Erase(key).ok());
    model_.erase(key);
  }
  size_t Nodes() {
    size_t nodes = 0;
    for (auto cursor = slot_.store().Scan(Table::kIndex, ""); cursor->Valid(); cursor->Next()) ++nodes;
    return nodes;
  }
  std::string RandomKey(size_t different) {
    const size_t number = random_() % different;
    return std::string(number % 50, 'x') + std::to_string(number);
  }

  void ExpectSame() {
    const std::vector<std::string> keys(model_.begin(), model_.end());
    slot_.Run([&](Transaction& transaction) {
      CountedIndexReader reader(&transaction, kPrefix);
      EXPECT_EQ(keys.size(), reader.Count());
      std::vector<std::string> up, down;
      reader.Ascend(0, [&](std::string_view key) { return up.emplace_back(key), true; });
      EXPECT_EQ(keys, up);
      if (!keys.empty()) {
        reader.Descend(keys.size() - 1, [&](std::string_view key) { return down.emplace_back(key), true; });
      }
      std::reverse(down.begin(), down.end());
      EXPECT_EQ(keys, down);
      EXPECT_EQ(std::nullopt, reader.At(keys.size()));
      for (int i = 0; i < 20 && !keys.empty(); ++i) {
        const size_t rank = random_() % keys.size();
        EXPECT_EQ(keys[rank], reader.At(rank));
        EXPECT_EQ(rank, reader.CountBefore(keys[rank]));
        const std::string other = RandomKey(100'000);
        const auto bound = std::lower_bound(keys.begin(), keys.end(), other);
        EXPECT_EQ(static_cast<uint64_t>(bound - keys.begin()), reader.CountBefore(other));
      }
    });
  }

  static constexpr char kPrefix[] = "prefix";
  const uint64_t seed_ = std::random_device()();
  std::mt19937_64 random_;
  TestSlot slot_;
  std::set<std::string> model_;
};

TEST_F(CountedIndexTest, AnAbsentIndexIsEmpty) {
  ExpectSame();
  Erase("nothing");
  EXPECT_EQ(0u, Nodes());
}

TEST_F(CountedIndexTest, AKeyIsThereOnce) {
  Insert("a");
  Insert("a");
  ExpectSame();
}

TEST_F(CountedIndexTest, AnEmptiedIndexLeavesNothing) {
  for (int i = 0; i < 5000; ++i) Insert(std::to_string(i));
  ExpectSame();
  EXPECT_GT(Nodes(), 5000 / kIndexNodeEntriesMax);
  for (int i = 0; i < 5000; ++i) Erase(std::to_string(i));
  ExpectSame();
  EXPECT_EQ(0u, Nodes());
}

TEST_F(CountedIndexTest, AscendingKeysFillNodes) {
  for (int i = 10'000; i < 20'000; ++i) Insert(std::to_string(i));
  ExpectSame();
  EXPECT_LT(Nodes(), 2 * 10'000 / (kIndexNodeEntriesMax / 2));
}

TEST_F(CountedIndexTest, AQueueStaysSmall) {
  for (int i = 10'000; i < 20'000; ++i) {
    Insert(std::to_string(i));
    if (i >= 10'100) Erase(std::to_string(i - 100));
  }
  ExpectSame();
  EXPECT_LT(Nodes(), 12u);
}

TEST_F(CountedIndexTest, HoldsKeysLargerThanANode) {
  for (char c = 'a'; c <= 'z'; ++c) Insert(std::string(5000, c));
  ExpectSame();
  for (char c = 'a'; c <= 'z'; c = static_cast<char>(c + 2)) Erase(std::string(5000, c));
  ExpectSame();
}

TEST_F(CountedIndexTest, RandomChangesKeepItTrue) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int phase = 0; phase < 6; ++phase) {
    const bool grows = phase % 2 == 0;
    for (int i = 0; i < 4000; ++i) {
      const std::string key = RandomKey(3000);
      random_() % 4 == 0 ? (grows ? Erase(key) : Insert(key)) : (grows ? Insert(key) : Erase(key));
    }
    ExpectSame();
  }
  while (!model_.empty()) Erase(*std::next(model_.begin(), static_cast<int64_t>(random_() % model_.size())));
  ExpectSame();
  EXPECT_EQ(0u, Nodes());
}

TEST_F(CountedIndexTest, DamageIsAnErrorAndNotAnAbsence) {
  for (int i = 0; i < 200; ++i) Insert(std::to_string(i));
  slot_.store().Put(Table::kIndex, storage::WithSlot(slot_.slot(), kPrefix), "\x01\xff");
  EXPECT_EQ(StatusCode::kCorruption, Writer().Insert("x").code());
  const causality::SlotClock clock;
  Transaction transaction(slot_.store(), {slot_.slot(), &clock, {}, 0, 0, 0});
  CountedIndexReader(&transaction, kPrefix).CountBefore("x");
  EXPECT_EQ(StatusCode::kCorruption, transaction.status().code());
}

}  // namespace
}  // namespace orrery::types

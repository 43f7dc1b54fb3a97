#include "orrery/types/derived_index.h"

#include <gtest/gtest.h>

#include <random>

#include "orrery/types/expiry.h"
#include "orrery/types/string_type.h"
#include "types/test_slot.h"

namespace orrery::types {
namespace {

using causality::Event;
using storage::Table;
using storage::Transaction;

/// Two replicas whose observers are told of everything, and that hear of each other's events late.
class DerivedIndexTest : public testing::Test {
 protected:
  DerivedIndexTest() {
    a_.set_observer(&index_);
    b_.set_observer(&index_);
  }

  std::optional<Event> RandomCommand(TestSlot& slot, std::mt19937_64& random) {
    const std::string key = "key" + std::to_string(random() % 6);
    const auto db = static_cast<uint8_t>(random() % 3);
    const uint64_t deadline = slot.now_ms() + random() % 200;
    return slot.Run([&](Transaction& transaction) {
      StringKey string(&transaction, db, key);
      switch (random() % 8) {
        case 0:
          return string.Set("value", Lifetime::Forever());
        case 1:
          return string.Set("value", Lifetime::Until(deadline));
        case 2:
          return string.Set("5", Lifetime::Keep());
        case 3:
          return string.Remove();
        case 4:
          return string.AsInteger() ? string.Increment(1) : string.Remove();
        case 5:
          return string.exists() ? string.ExpireAt(deadline) : string.Remove();
        case 6:
          return string.Persist();
        default:
          PurgeExpired(&transaction, 2);
      }
    });
  }

  void ExpectRebuildChangesNothing(TestSlot& slot) {
    const std::string counts = slot.Dump(Table::kCounts);
    const std::string expiry = slot.Dump(Table::kExpiry);
    ASSERT_TRUE(index_.Rebuild(slot.slot(), &slot.store()).ok());
    for (uint8_t db = 0; db < 3; ++db) ExpectCountsAreTrue(slot, db);
    EXPECT_EQ(counts, slot.Dump(Table::kCounts));
    EXPECT_EQ(expiry, slot.Dump(Table::kExpiry));
  }

  void ExpectCountsAreTrue(TestSlot& slot, uint8_t db) {
    KeyCounts counted;
    slot.Run([&](Transaction& transaction) {
      const std::string prefix(1, static_cast<char>(db));
      transaction.Scan(prefix, "", [&](std::string_view, const causality::Row& row) {
        if (!HasValue(row)) return true;
        ++counted.keys;
        counted.expires += DeadlineOf(row) ? 1 : 0;
        return true;
      });
    });
    const KeyCounts kept = CountKeys(slot.slot(), db, slot.store());
    EXPECT_EQ(counted.keys, kept.keys);
    EXPECT_EQ(counted.expires, kept.expires);
  }

  DerivedIndex index_;
  TestSlot a_{1};
  TestSlot b_{2};
};

TEST_F(DerivedIndexTest, CountsKeysNotWrites) {
  for (int i = 0; i < 3; ++i) {
    a_.Run([](Transaction& transaction) {
      StringKey(&transaction, 0, "key").Set("value", Lifetime::Forever());
    });
  }
  a_.Run([](Transaction& transaction) { StringKey(&transaction, 0, "other").Increment(1); });
  a_.Run([](Transaction& transaction) { StringKey(&transaction, 1, "elsewhere").Increment(1); });
  EXPECT_EQ(2u, CountKeys(a_.slot(), 0, a_.store()).keys);
  EXPECT_EQ(1u, CountKeys(a_.slot(), 1, a_.store()).keys);
  EXPECT_EQ(0u, CountKeys(a_.slot(), 2, a_.store()).keys);
}

TEST_F(DerivedIndexTest, CountsAnExpiredKeyUntilItIsPurged) {
  a_.Run([&](Transaction& transaction) {
    StringKey(&transaction, 0, "key").Set("value", Lifetime::Until(a_.now_ms() + 1));
  });
  a_.Advance(1);
  EXPECT_EQ(1u, CountKeys(a_.slot(), 0, a_.store()).keys);
  EXPECT_EQ(1u, CountKeys(a_.slot(), 0, a_.store()).expires);
  a_.Run([](Transaction& transaction) { PurgeExpired(&transaction, 1); });
  EXPECT_EQ(0u, CountKeys(a_.slot(), 0, a_.store()).keys);
  EXPECT_EQ(0u, CountKeys(a_.slot(), 0, a_.store()).expires);
}

// A count that cannot be read was taken for none, and written back.
TEST_F(DerivedIndexTest, CountsThatCannotBeReadAreNotMadeUp) {
  storage::MemoryDatabase database;
  const auto store = database.OpenShard();
  causality::Row none, one;
  one.cells.push_back({causality::CellKind::kValue, {{NodeId{1}, 1}, 1}, 1, 1, "v", {}});
  const auto change = [&](std::string_view key, const causality::Row& before, const causality::Row& after) {
    const std::string row_key = storage::EncodeRowKey({0, key, storage::RowTag::kString, {}});
    return index_.OnRowChange({7, row_key, before, after, 1, false}, store.get());
  };
  EXPECT_EQ(change("a", one, none).code(), StatusCode::kCorruption) << "a key goes that was not counted";
  ASSERT_TRUE(change("a", none, one).ok());
  ASSERT_TRUE(store->Commit(storage::Durability::kDisk).ok());
  EXPECT_EQ(index_.CountKeys(7, 0, *store), 1u);
  database.CorruptValue(Table::kCounts, storage::SlotPrefix(7) + '\0');
  EXPECT_EQ(change("b", none, one).code(), StatusCode::kCorruption);
  EXPECT_EQ(change("a", one, none).code(), StatusCode::kCorruption);
  EXPECT_EQ(index_.CountKeys(7, 0, *store), std::nullopt);
}

TEST_F(DerivedIndexTest, ReplicasWithEqualRowsHaveEqualTables) {
  const auto set = a_.Run([&](Transaction& transaction) {
    StringKey(&transaction, 0, "key").Set("a", Lifetime::Until(a_.now_ms() + 5));
  });
  const auto other = b_.Run([](Transaction& transaction) { StringKey(&transaction, 0, "key").Increment(1); });
  a_.Apply(*other);
  b_.Apply(*set);
  for (Table table : {Table::kRows, Table::kCounts, Table::kExpiry})
    EXPECT_EQ(a_.Dump(table), b_.Dump(table));
}

TEST_F(DerivedIndexTest, RebuildEqualsWhatRandomChangesLeft) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<Event> to_a, to_b;
  for (int i = 0; i < 3000; ++i) {
    TestSlot& slot = random() % 2 == 0 ? a_ : b_;
    if (auto event = RandomCommand(slot, random)) (&slot == &a_ ? to_b : to_a).push_back(std::move(*event));
    slot.Advance(random() % 10);
    if (random() % 50 == 0) {
      for (const Event& event : to_a) a_.Apply(event);
      to_a.clear();
    }
    if (random() % 50 == 0) {
      for (const Event& event : to_b) b_.Apply(event);
      to_b.clear();
    }
    if (random() % 300 == 0) ExpectRebuildChangesNothing(slot);
  }
  for (const Event& event : to_a) a_.Apply(event);
  for (const Event& event : to_b) b_.Apply(event);
  ExpectRebuildChangesNothing(a_);
  ExpectRebuildChangesNothing(b_);
  for (Table table : {Table::kRows, Table::kCounts, Table::kExpiry})
    EXPECT_EQ(a_.Dump(table), b_.Dump(table));
}

}  // namespace
}  // namespace orrery::types

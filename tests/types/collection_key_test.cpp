#include "orrery/types/collection_key.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "orrery/storage/row_key.h"
#include "orrery/types/derived_index.h"
#include "orrery/types/element.h"
#include "orrery/types/expiry.h"
#include "orrery/types/key_summary.h"
#include "orrery/types/string_type.h"
#include "types/test_slot.h"

namespace orrery::types {
namespace {

using causality::Event;
using causality::Row;
using storage::RowTag;
using storage::Table;
using storage::Transaction;

/// Two replicas of a slot whose events are exchanged when a test says so.
class CollectionKeyTest : public testing::Test {
 protected:
  CollectionKeyTest() {
    a_.set_observer(&index_);
    b_.set_observer(&index_);
  }

  static CollectionKey Hash(Transaction& transaction, std::string_view key = "key") {
    return CollectionKey(&transaction, 0, key, KeyType::kHash);
  }
  static std::optional<Event> Put(TestSlot& slot, std::string field, std::string value) {
    return slot.Run([&](Transaction& transaction) { Hash(transaction).Put(field, value); });
  }
  static std::optional<Event> SetString(TestSlot& slot) {
    return slot.Run(
        [](Transaction& transaction) { StringKey(&transaction, 0, "key").Set("v", Lifetime::Forever()); });
  }
  static std::optional<Event> Delete(TestSlot& slot) {
    return slot.Run([](Transaction& transaction) { KeyView(&transaction, 0, "key").Remove(); });
  }
  static KeyType TypeAt(TestSlot& slot) {
    KeyType type{};
    slot.Run([&](Transaction& transaction) { type = KeyView(&transaction, 0, "key").type(); });
    return type;
  }
  static std::map<std::string, std::string> Fields(TestSlot& slot) {
    std::map<std::string, std::string> fields;
    slot.Run([&](Transaction& transaction) {
      const CollectionKey hash = Hash(transaction);
      hash.Visit({}, [&](std::string_view field, const Row& row) {
        std::string scratch;
        fields.emplace(field, ShowValue(row, &scratch));
        return true;
      });
      EXPECT_EQ(fields.size(), hash.Count());
    });
    return fields;
  }
  void Exchange(const std::optional<Event>& of_a, const std::optional<Event>& of_b) {
    if (of_b) a_.Apply(*of_b);
    if (of_a) b_.Apply(*of_a);
    ExpectEqual();
  }
  void ExpectEqual() {
    for (Table table : {Table::kRows, Table::kCounts, Table::kExpiry})
      EXPECT_EQ(a_.Dump(table), b_.Dump(table));
    EXPECT_EQ(a_.replica().digest(), b_.replica().digest());
    EXPECT_EQ(a_.replica().row_count(), b_.replica().row_count());
    EXPECT_EQ(a_.replica().collection_rows(), b_.replica().collection_rows());
  }
  static uint64_t Keys(TestSlot& slot) { return CountKeys(slot.slot(), 0, slot.store()).keys; }

  DerivedIndex index_;
  TestSlot a_{1};
  TestSlot b_{2};
};

TEST_F(CollectionKeyTest, ElementsAreRowsOfTheirOwn) {
  const auto event = Put(a_, "f", "1");
  ASSERT_EQ(1u, event->changes.size());
  Put(a_, "g", "2");
  EXPECT_EQ((std::map<std::string, std::string>{{"f", "1"}, {"g", "2"}}), Fields(a_));
  EXPECT_EQ(KeyType::kHash, TypeAt(a_));
  EXPECT_EQ(1u, Keys(a_));
}

TEST_F(CollectionKeyTest, OneCommandSeesWhatItDid) {
  a_.Run([](Transaction& transaction) {
    CollectionKey hash = Hash(transaction);
    EXPECT_TRUE(hash.Put("f", "1"));
    EXPECT_FALSE(hash.Put("f", "2"));
    EXPECT_TRUE(hash.Put("g", "3"));
    EXPECT_EQ(2u, hash.Count());
    EXPECT_EQ(2u, Hash(transaction).Count());
    EXPECT_TRUE(hash.Erase("g"));
    EXPECT_FALSE(hash.Erase("g"));
    EXPECT_EQ(1u, Hash(transaction).Count());
    Hash(transaction).Remove();
    EXPECT_EQ(KeyType::kNone, Hash(transaction).type());
    EXPECT_TRUE(Hash(transaction).Put("h", "4"));
    EXPECT_EQ(1u, Hash(transaction).Count());
    EXPECT_EQ(nullptr, Hash(transaction).Find("f"));
  });
  EXPECT_EQ((std::map<std::string, std::string>{{"h", "4"}}), Fields(a_));
}

TEST_F(CollectionKeyTest, RemovalIsOneScopeAndLeavesNothing) {
  for (int i = 0; i < 500; ++i) Put(a_, std::to_string(i), "v");
  EXPECT_EQ(500u, Fields(a_).size());
  const auto event = Delete(a_);
  EXPECT_EQ(1u, event->scopes.size());
  EXPECT_TRUE(event->changes.empty());
  for (Table table : {Table::kRows, Table::kCounts, Table::kExpiry, Table::kIndex})
    EXPECT_EQ("", a_.Dump(table));
  EXPECT_EQ(0u, a_.replica().digest());
  EXPECT_EQ(0u, a_.replica().row_count());
  EXPECT_EQ(0u, a_.replica().collection_rows());
}

TEST_F(CollectionKeyTest, RemovalLeavesWhatItHasNotSeen) {
  const auto first = Put(a_, "f", "1");
  b_.Apply(*first);
  const auto gone = Delete(a_);
  const auto stays = Put(b_, "g", "2");
  Exchange(gone, stays);
  EXPECT_EQ((std::map<std::string, std::string>{{"g", "2"}}), Fields(a_));
}

TEST_F(CollectionKeyTest, AddWinsOverConcurrentRemoval) {
  b_.Apply(*Put(a_, "f", "1"));
  const auto removed = a_.Run([](Transaction& transaction) { Hash(transaction).Erase("f"); });
  const auto written = Put(b_, "f", "2");
  Exchange(removed, written);
  EXPECT_EQ((std::map<std::string, std::string>{{"f", "2"}}), Fields(a_));
}

TEST_F(CollectionKeyTest, ADeletedCollectionIsGoneThoughItsRowsComeLate) {
  TestSlot c(3);
  c.set_observer(&index_);
  const auto put = Put(a_, "f", "1");
  b_.Apply(*put);
  const auto removed = Delete(b_);
  c.Apply(*removed);
  EXPECT_FALSE(c.voided().empty());
  c.Apply(*put);
  EXPECT_TRUE(c.voided().empty());
  EXPECT_TRUE(Fields(c).empty());
  EXPECT_EQ(0u, Keys(c));
}

TEST_F(CollectionKeyTest, OfTwoTypesTheNewerShowsEverywhere) {
  a_.set_now_ms(1000);
  b_.set_now_ms(2000);
  const auto hash = Put(a_, "f", "1");
  const auto string = SetString(b_);
  Exchange(hash, string);
  EXPECT_EQ(KeyType::kString, TypeAt(a_));
  EXPECT_EQ(KeyType::kString, TypeAt(b_));
  EXPECT_EQ(1u, Keys(a_));
  EXPECT_TRUE(Fields(a_).empty());
  b_.Apply(*Delete(a_));
  EXPECT_EQ(KeyType::kNone, TypeAt(a_));
  EXPECT_EQ(0u, a_.replica().row_count());
  ExpectEqual();
}

TEST_F(CollectionKeyTest, TheHiddenTypeComesBackWhenTheNewerOneGoes) {
  a_.set_now_ms(1000);
  b_.set_now_ms(2000);
  const auto string = SetString(a_);
  const auto hash = Put(b_, "f", "1");
  Exchange(string, hash);
  EXPECT_EQ(KeyType::kHash, TypeAt(a_));
  b_.Apply(*a_.Run([](Transaction& transaction) { Hash(transaction).Erase("f"); }));
  EXPECT_EQ(KeyType::kString, TypeAt(a_));
  EXPECT_EQ(KeyType::kString, TypeAt(b_));
  EXPECT_EQ(1u, Keys(a_));
}

TEST_F(CollectionKeyTest, OfTwoCollectionsTheNewestValueThatIsLeftDecides) {
  const auto add = [](TestSlot& slot, KeyType type, std::string element) {
    return slot.Run(
        [&](Transaction& transaction) { CollectionKey(&transaction, 0, "key", type).Put(element, ""); });
  };
  a_.set_now_ms(1000);
  const auto old_hash = add(a_, KeyType::kHash, "old");
  a_.set_now_ms(3000);
  const auto new_hash = add(a_, KeyType::kHash, "new");
  b_.set_now_ms(2000);
  const auto set = add(b_, KeyType::kSet, "member");
  b_.Apply(*old_hash);
  Exchange(new_hash, set);
  EXPECT_EQ(KeyType::kHash, TypeAt(a_));
  b_.Apply(*a_.Run([](Transaction& transaction) { Hash(transaction).Erase("new"); }));
  EXPECT_EQ(KeyType::kSet, TypeAt(a_));
  EXPECT_EQ(KeyType::kSet, TypeAt(b_));
  ExpectEqual();
}

TEST_F(CollectionKeyTest, OverwritingTakesEveryTypeAway) {
  Put(a_, "f", "1");
  SetString(a_);
  EXPECT_EQ(KeyType::kString, TypeAt(a_));
  EXPECT_EQ(1u, a_.replica().row_count());
  EXPECT_EQ(0u, a_.replica().collection_rows());
  EXPECT_EQ("", a_.Dump(Table::kIndex));
}

TEST_F(CollectionKeyTest, TheEndIsOfTheWholeKey) {
  Put(a_, "f", "1");
  a_.Run([&](Transaction& transaction) { Hash(transaction).ExpireAt(a_.now_ms() + 100); });
  Put(a_, "g", "2");
  EXPECT_EQ(1u, CountKeys(a_.slot(), 0, a_.store()).expires);
  a_.Run([&](Transaction& transaction) { EXPECT_EQ(a_.now_ms() + 100, Hash(transaction).deadline()); });
  a_.Advance(100);
  EXPECT_EQ(KeyType::kNone, TypeAt(a_));
  EXPECT_TRUE(Fields(a_).empty());
  EXPECT_EQ(1u, Keys(a_));
  a_.Run([](Transaction& transaction) { EXPECT_EQ(1u, PurgeExpired(&transaction, 10)); });
  for (Table table : {Table::kRows, Table::kCounts, Table::kExpiry, Table::kIndex})
    EXPECT_EQ("", a_.Dump(table));
}

TEST_F(CollectionKeyTest, AWriteToAnEndedKeyStartsAnew) {
  Put(a_, "f", "1");
  a_.Run([&](Transaction& transaction) { Hash(transaction).ExpireAt(a_.now_ms() + 100); });
  a_.Advance(100);
  Put(a_, "g", "2");
  EXPECT_EQ((std::map<std::string, std::string>{{"g", "2"}}), Fields(a_));
  a_.Run([](Transaction& transaction) { EXPECT_EQ(std::nullopt, Hash(transaction).deadline()); });
  EXPECT_EQ(1u, a_.replica().row_count());
}

TEST_F(CollectionKeyTest, TheLastElementTakesTheEndAlong) {
  Put(a_, "f", "1");
  a_.Run([&](Transaction& transaction) { Hash(transaction).ExpireAt(a_.now_ms() + 100); });
  a_.Run([](Transaction& transaction) { Hash(transaction).Erase("f"); });
  EXPECT_EQ(0u, a_.replica().row_count());
  EXPECT_EQ("", a_.Dump(Table::kExpiry));
}

TEST_F(CollectionKeyTest, PurgingACollectionLeavesTheStringBesideIt) {
  a_.set_now_ms(2000);
  b_.set_now_ms(1000);
  const auto string = SetString(b_);
  const auto hash = Put(a_, "f", "1");
  const auto end = a_.Run([](Transaction& transaction) { Hash(transaction).ExpireAt(2500); });
  b_.Apply(*hash);
  Exchange(end, string);
  EXPECT_EQ(KeyType::kHash, TypeAt(a_));
  a_.set_now_ms(2500);
  EXPECT_EQ(KeyType::kString, TypeAt(a_));
  b_.Apply(*a_.Run([](Transaction& transaction) { PurgeExpired(&transaction, 10); }));
  ExpectEqual();
  EXPECT_EQ(1u, a_.replica().row_count());
  EXPECT_EQ(1u, Keys(a_));
}

TEST_F(CollectionKeyTest, WalksInAnOrderThatDoesNotDependOnHistory) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200; ++i) Put(a_, std::to_string(random() % 300), "v");
  uint64_t last = 0;
  a_.Run([&](Transaction& transaction) {
    Hash(transaction).Visit({}, [&](std::string_view field, const Row&) {
      EXPECT_LE(last, ElementOrder(field));
      last = ElementOrder(field);
      return true;
    });
    size_t later = 0;
    Hash(transaction).Visit(ElementOrderBytes(last), [&](std::string_view, const Row&) {
      return ++later < 10;
    });
    EXPECT_EQ(1u, later);
  });
}

TEST_F(CollectionKeyTest, ASlotOfStringsAsksForNoSummary) {
  SetString(a_);
  a_.Run([](Transaction& transaction) { EXPECT_FALSE(transaction.MayHaveCollections()); });
  Put(a_, "f", "1");
  a_.Run([](Transaction& transaction) { EXPECT_TRUE(transaction.MayHaveCollections()); });
}

}  // namespace
}  // namespace orrery::types

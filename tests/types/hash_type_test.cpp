// Hashes on two sides of a cut; each test exchanges the events of both and looks at both.

#include "orrery/types/hash_type.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "orrery/types/derived_index.h"
#include "types/test_slot.h"

namespace orrery::types {
namespace {

using causality::Event;
using storage::Table;
using storage::Transaction;
using Fields = std::map<std::string, std::string>;

class HashTypeTest : public testing::Test {
 protected:
  HashTypeTest() {
    a_.set_observer(&index_);
    b_.set_observer(&index_);
  }

  using HashCommand = std::function<void(HashKey& hash)>;
  static std::optional<Event> Run(TestSlot& slot, const HashCommand& command) {
    return slot.Run([&](Transaction& transaction) {
      HashKey hash(&transaction, 0, "h");
      command(hash);
    });
  }
  void RunEverywhere(const HashCommand& command) { b_.Apply(*Run(a_, command)); }
  /// Both commands, neither side having heard of the other's.
  void RunApart(const HashCommand& on_a, const HashCommand& on_b) {
    const auto event_a = Run(a_, on_a);
    const auto event_b = Run(b_, on_b);
    if (event_b) a_.Apply(*event_b);
    if (event_a) b_.Apply(*event_a);
    for (Table table : {Table::kRows, Table::kCounts, Table::kExpiry}) EXPECT_EQ(a_.Dump(table), b_.Dump(table));
    EXPECT_EQ(a_.replica().digest(), b_.replica().digest());
  }
  static Fields Of(TestSlot& slot) {
    Fields fields;
    Run(slot, [&](HashKey& hash) {
      hash.VisitFields([&](std::string_view field, std::string_view value) {
        fields.emplace(field, value);
        return true;
      });
      EXPECT_EQ(fields.size(), hash.Count());
    });
    return fields;
  }

  DerivedIndex index_;
  TestSlot a_{1};
  TestSlot b_{2};
};

TEST_F(HashTypeTest, FieldsOfBothSidesAreThere) {
  RunApart([](HashKey& hash) { hash.Set("f", "1"); }, [](HashKey& hash) { hash.Set("g", "2"); });
  EXPECT_EQ((Fields{{"f", "1"}, {"g", "2"}}), Of(a_));
  EXPECT_EQ(Of(a_), Of(b_));
}

TEST_F(HashTypeTest, OfTwoValuesOfOneFieldTheNewerShows) {
  b_.Advance(1);
  RunApart([](HashKey& hash) { hash.Set("f", "older"); }, [](HashKey& hash) { hash.Set("f", "newer"); });
  EXPECT_EQ((Fields{{"f", "newer"}}), Of(a_));
  EXPECT_EQ(Of(a_), Of(b_));
}

TEST_F(HashTypeTest, IncrementsOfBothSidesAddUp) {
  RunEverywhere([](HashKey& hash) { hash.Set("n", "10"); });
  RunApart([](HashKey& hash) { hash.Increment("n", 5); }, [](HashKey& hash) { hash.Increment("n", -2); });
  EXPECT_EQ((Fields{{"n", "13"}}), Of(a_));
  RunApart([](HashKey& hash) { hash.Increment("n", 1); }, [](HashKey& hash) { hash.Increment("new", 1); });
  EXPECT_EQ((Fields{{"n", "14"}, {"new", "1"}}), Of(b_));
}

TEST_F(HashTypeTest, RemovingAFieldLeavesTheOthersWrite) {
  RunEverywhere([](HashKey& hash) { hash.Set("f", "1"); });
  RunApart([](HashKey& hash) { hash.Erase("f"); }, [](HashKey& hash) { hash.Set("f", "2"); });
  EXPECT_EQ((Fields{{"f", "2"}}), Of(a_));
}

TEST_F(HashTypeTest, DeletingLeavesWhatTheDeleterHadNotSeen) {
  RunEverywhere([](HashKey& hash) { hash.Set("f", "1"); });
  RunApart([](HashKey& hash) { hash.Remove(); }, [](HashKey& hash) { hash.Set("g", "2"); });
  EXPECT_EQ((Fields{{"g", "2"}}), Of(a_));
}

TEST_F(HashTypeTest, WhatBothRemovedStaysRemoved) {
  RunEverywhere([](HashKey& hash) { hash.Set("f", "1"); });
  RunApart([](HashKey& hash) { hash.Erase("f"); }, [](HashKey& hash) { hash.Remove(); });
  EXPECT_EQ(Fields(), Of(a_));
  EXPECT_EQ(0u, a_.replica().row_count());
}

TEST_F(HashTypeTest, RandomCommandsApartEndEqualAndDerivedTablesAreTrue) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto command = [&](HashKey& hash) {
    const std::string field = std::to_string(random() % 20);
    int64_t value = 0;
    switch (random() % 8) {
      case 0:
        return random() % 10 == 0 ? hash.Remove() : void(hash.Erase(field));
      case 1:
      case 2:
        return void(hash.Erase(field));
      case 3:
        return hash.exists() ? hash.ExpireAt(a_.now_ms() + random() % 200) : void();
      case 4:
        return hash.GetInteger(field, &value) ? hash.Increment(field, 3) : void();
      default:
        hash.Set(field, std::to_string(random() % 100));
    }
  };
  for (int i = 0; i < 2000; ++i) {
    RunApart(command, command);
    a_.Advance(random() % 20);
    b_.set_now_ms(a_.now_ms());
    ASSERT_EQ(Of(a_), Of(b_));
  }
  const std::string counts = a_.Dump(Table::kCounts), expiry = a_.Dump(Table::kExpiry);
  ASSERT_TRUE(index_.Rebuild(a_.slot(), &a_.store()).ok());
  EXPECT_EQ(counts, a_.Dump(Table::kCounts));
  EXPECT_EQ(expiry, a_.Dump(Table::kExpiry));
}

TEST_F(HashTypeTest, ChoosesDifferentFields) {
  for (const int fields : {10, 2000}) {
    Run(a_, [&](HashKey& hash) {
      for (int i = 0; i < fields; ++i) hash.Set(std::to_string(i), "v");
    });
    Run(a_, [&](HashKey& hash) {
      Chance chance(0);
      const auto some = hash.SampleDistinct(5, &chance);
      EXPECT_EQ(5u, std::set<std::string>(some.begin(), some.end()).size());
      EXPECT_EQ(static_cast<size_t>(fields), hash.SampleDistinct(1 << 20, &chance).size());
      EXPECT_EQ(7u, hash.Sample(7, &chance).size());
      std::map<std::string, int> often;
      for (const std::string& field : hash.Sample(1000, &chance)) ++often[field];
      EXPECT_GT(often.size(), static_cast<size_t>(fields) / 4);
      for (const auto& [field, times] : often) EXPECT_TRUE(hash.Contains(field)) << times;
    });
  }
}

}  // namespace
}  // namespace orrery::types

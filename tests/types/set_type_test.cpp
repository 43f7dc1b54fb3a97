#include "orrery/types/set_type.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <set>

#include "orrery/types/derived_index.h"
#include "types/test_slot.h"

namespace orrery::types {
namespace {

using causality::Event;
using storage::Table;
using storage::Transaction;
using Members = std::set<std::string>;

class SetTypeTest : public testing::Test {
 protected:
  SetTypeTest() {
    for (TestSlot& side : sides_) side.set_observer(&index_);
  }

  template <typename Change>
  Event Run(size_t side, const Change& change) {
    auto event = sides_[side].Run([&](Transaction& transaction) {
      SetKey key(&transaction, 0, "key");
      change(key);
    });
    EXPECT_TRUE(event.has_value());
    return event.value_or(Event());
  }
  Event Add(size_t side, std::string_view member) {
    return Run(side, [&](SetKey& key) { EXPECT_TRUE(key.Insert(member)); });
  }
  Event Remove(size_t side, std::string_view member) {
    return Run(side, [&](SetKey& key) { EXPECT_TRUE(key.Erase(member)); });
  }
  Members Show(size_t side) {
    Members members;
    sides_[side].Run([&](Transaction& transaction) {
      const SetKey key(&transaction, 0, "key");
      key.Visit(
          {}, [&](std::string_view member, const causality::Row&) { return members.emplace(member).second; });
      EXPECT_EQ(key.Count(), members.size());
    });
    return members;
  }
  void ExpectBoth(const Members& members) {
    EXPECT_EQ(Show(0), members);
    EXPECT_EQ(Show(1), members);
    EXPECT_EQ(sides_[0].replica().digest(), sides_[1].replica().digest());
    for (Table table : {Table::kRows, Table::kCounts}) {
      EXPECT_EQ(sides_[0].Dump(table), sides_[1].Dump(table));
    }
  }
  void Exchange(const Event& made_here, const Event& made_there) {
    sides_[1].Apply(made_here);
    sides_[0].Apply(made_there);
  }

  DerivedIndex index_;
  std::array<TestSlot, 2> sides_{TestSlot(1), TestSlot(2)};
};

TEST_F(SetTypeTest, AddsOnBothSidesOfACutAllSurvive) {
  Exchange(Add(0, "a"), Add(1, "b"));
  ExpectBoth({"a", "b"});
}

TEST_F(SetTypeTest, AnAddWinsOverAConcurrentRemove) {
  sides_[1].Apply(Add(0, "a"));
  const Event removed = Remove(0, "a");
  const Event again = Run(1, [](SetKey& key) { EXPECT_FALSE(key.Insert("a")); });
  Exchange(removed, again);
  ExpectBoth({"a"});
}

TEST_F(SetTypeTest, WhatWasRemovedStaysRemoved) {
  const Event added = Add(0, "a");
  sides_[1].Apply(added);
  const Event removed = Remove(1, "a");
  sides_[0].Apply(removed);
  sides_[0].Apply(added);  // late, once more
  ExpectBoth({});
}

TEST_F(SetTypeTest, DeletingTheKeyKeepsWhatItHadNotSeen) {
  sides_[1].Apply(Add(0, "seen"));
  const Event deleted = Run(0, [](SetKey& key) { key.Remove(); });
  Exchange(deleted, Add(1, "unseen"));
  ExpectBoth({"unseen"});
}

TEST_F(SetTypeTest, RandomCommandsOnBothSidesConverge) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::array<std::vector<Event>, 2> made;
    for (size_t side = 0; side < 2; ++side) {
      for (auto n = random() % 5; n > 0; --n) {
        auto event = sides_[side].Run([&](Transaction& transaction) {
          SetKey key(&transaction, 0, "key");
          const std::string member = std::to_string(random() % 6);
          const auto choice = random() % 12;
          choice == 0 ? key.Remove() : static_cast<void>(choice < 7 ? key.Insert(member) : key.Erase(member));
        });
        if (event) made[side].push_back(std::move(*event));
      }
    }
    for (size_t side = 0; side < 2; ++side) {
      for (const Event& event : made[1 - side]) sides_[side].Apply(event);
    }
    ExpectBoth(Show(0));
  }
}

}  // namespace
}  // namespace orrery::types

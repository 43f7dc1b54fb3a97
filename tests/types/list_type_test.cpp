// Lists on one replica and on two sides of a cut.

#include "orrery/types/list_type.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "orrery/types/derived_index.h"
#include "types/test_slot.h"

namespace orrery::types {
namespace {

using causality::Event;
using storage::Table;
using storage::Transaction;
using Values = std::vector<std::string>;
using End = ListKey::End;

class ListTypeTest : public testing::Test {
 protected:
  ListTypeTest() {
    a_.set_observer(&index_);
    b_.set_observer(&index_);
  }

  using ListCommand = std::function<void(ListKey& list)>;
  static std::optional<Event> Run(TestSlot& slot, const ListCommand& command) {
    return slot.Run([&](Transaction& transaction) {
      ListKey list(&transaction, 0, "l");
      command(list);
    });
  }
  void RunEverywhere(const ListCommand& command) { b_.Apply(*Run(a_, command)); }
  /// Both commands, neither side having heard of the other's.
  void RunApart(const ListCommand& on_a, const ListCommand& on_b) {
    const auto event_a = Run(a_, on_a);
    const auto event_b = Run(b_, on_b);
    if (event_b) a_.Apply(*event_b);
    if (event_a) b_.Apply(*event_a);
    for (Table table : {Table::kRows, Table::kCounts, Table::kExpiry})
      EXPECT_EQ(a_.Dump(table), b_.Dump(table));
    EXPECT_EQ(a_.replica().digest(), b_.replica().digest());
  }

  static void Push(ListKey& list, End end, const Values& values) {
    const std::vector<std::string_view> views(values.begin(), values.end());
    list.Push(end, views);
  }
  static ListCommand Pushing(End end, Values values) {
    return [=](ListKey& list) { Push(list, end, values); };
  }
  static Values Of(const ListKey& list) {
    Values values;
    list.VisitRange(list.Range(0, -1), false, [&](uint64_t rank, std::string_view value) {
      EXPECT_EQ(values.size(), rank);
      values.emplace_back(value);
      return true;
    });
    EXPECT_EQ(values.size(), list.Count());
    return values;
  }
  static Values Of(TestSlot& slot) {
    Values values;
    Run(slot, [&](ListKey& list) { values = Of(list); });
    return values;
  }
  void ExpectBoth(const Values& values) {
    EXPECT_EQ(values, Of(a_));
    EXPECT_EQ(values, Of(b_));
  }

  DerivedIndex index_;
  TestSlot a_{1};
  TestSlot b_{2};
};

// ---- two sides ----

TEST_F(ListTypeTest, PushesOfBothSidesInterleave) {
  RunEverywhere(Pushing(End::kTail, {"m"}));
  RunApart(Pushing(End::kTail, {"a1", "a2"}), Pushing(End::kTail, {"b1", "b2"}));
  ExpectBoth({"m", "a1", "b1", "a2", "b2"});
  RunApart(Pushing(End::kHead, {"x"}), Pushing(End::kTail, {"y"}));
  ExpectBoth({"x", "m", "a1", "b1", "a2", "b2", "y"});
}

TEST_F(ListTypeTest, WhatBothPoppedIsGoneAndStaysSo) {
  RunEverywhere(Pushing(End::kTail, {"x", "y", "z"}));
  const auto pop = [](ListKey& list) { EXPECT_EQ(Values{"x"}, list.Pop(End::kHead, 1)); };
  RunApart(pop, pop);
  ExpectBoth({"y", "z"});
}

TEST_F(ListTypeTest, APushAfterAPopIsNoPartOfWhatTheOtherSidePopped) {
  RunEverywhere(Pushing(End::kTail, {"x", "y"}));
  RunApart([](ListKey& list) { list.Pop(End::kTail, 1), Push(list, End::kTail, {"new"}); },
           [](ListKey& list) { list.Pop(End::kTail, 1); });
  ExpectBoth({"x", "new"});
}

TEST_F(ListTypeTest, AnElementThatWasSetStaysWhereTheOtherSidePoppedIt) {
  RunEverywhere(Pushing(End::kTail, {"x", "y"}));
  RunApart([](ListKey& list) { EXPECT_TRUE(list.Set(0, "X")); },
           [](ListKey& list) { list.Pop(End::kHead, 1); });
  ExpectBoth({"X", "y"});
}

TEST_F(ListTypeTest, OfTwoValuesSetForOneElementTheNewerShows) {
  RunEverywhere(Pushing(End::kTail, {"x", "y"}));
  b_.Advance(1);
  RunApart([](ListKey& list) { list.Set(-1, "older"); }, [](ListKey& list) { list.Set(1, "newer"); });
  ExpectBoth({"x", "newer"});
}

TEST_F(ListTypeTest, InsertionsAtOnePlaceAreAllThere) {
  RunEverywhere(Pushing(End::kTail, {"x", "y"}));
  RunApart([](ListKey& list) { EXPECT_TRUE(list.Insert("y", false, "a")); },
           [](ListKey& list) { EXPECT_TRUE(list.Insert("x", true, "b")); });
  ExpectBoth({"x", "a", "b", "y"});
  RunEverywhere([](ListKey& list) { EXPECT_TRUE(list.Insert("b", false, "between")); });
  ExpectBoth({"x", "a", "between", "b", "y"});
}

TEST_F(ListTypeTest, DeletingAndTrimmingLeaveWhatTheirSideHadNotSeen) {
  RunEverywhere(Pushing(End::kTail, {"x", "y", "z"}));
  RunApart([](ListKey& list) { list.Trim({1, 2}); }, Pushing(End::kTail, {"unseen"}));
  ExpectBoth({"y", "unseen"});
  RunApart([](ListKey& list) { list.Remove(); }, Pushing(End::kHead, {"later"}));
  ExpectBoth({"later"});
}

// ---- one replica ----

TEST_F(ListTypeTest, AMoveWithinAListKeepsItsEnd) {
  Run(a_, [&](ListKey& list) { Push(list, End::kTail, {"x"}), list.ExpireAt(a_.now_ms() + 1000); });
  Run(a_, [&](ListKey& list) {
    EXPECT_EQ("x", list.Move(End::kHead, &list, End::kTail));
    EXPECT_EQ(a_.now_ms() + 1000, list.deadline());
  });
  EXPECT_EQ(Values{"x"}, Of(a_));
  Run(a_, [&](ListKey& list) { list.Pop(End::kHead, 1); });
  EXPECT_EQ(0u, a_.replica().row_count());
}

TEST_F(ListTypeTest, WhatHasEndedIsNoPartOfANewList) {
  Run(a_, [&](ListKey& list) { Push(list, End::kTail, {"old"}), list.ExpireAt(a_.now_ms() + 1); });
  a_.Advance(2);
  Run(a_, Pushing(End::kTail, {"new"}));
  EXPECT_EQ(Values{"new"}, Of(a_));
  Run(a_, [](ListKey& list) { EXPECT_FALSE(list.deadline()); });
}

TEST_F(ListTypeTest, ALongListIsReadFromAnyPlaceInBothDirections) {
  constexpr uint64_t kSize = 1000;
  for (uint64_t i = 0; i < kSize; ++i) Run(a_, Pushing(End::kTail, {std::to_string(i)}));
  Run(a_, [](ListKey& list) {
    EXPECT_EQ("700", list.At(700));
    EXPECT_EQ("999", list.At(-1));
    EXPECT_FALSE(list.At(1000));
    Values down;
    list.VisitRange({100, 600}, true, [&](uint64_t rank, std::string_view value) {
      EXPECT_EQ(std::to_string(rank), value);
      down.emplace_back(value);
      return down.size() < 400;
    });
    EXPECT_EQ(400u, down.size());
    EXPECT_EQ("599", down.front());
    EXPECT_EQ("200", down.back());
    EXPECT_EQ(kSize - 400, list.Pop(End::kTail, kSize - 400).size());
    EXPECT_EQ("399", list.At(-1));
    EXPECT_EQ(400u, list.Pop(End::kHead, kSize).size());
  });
  EXPECT_EQ(0u, a_.replica().row_count());
}

// ---- chance ----

class RandomListTest : public ListTypeTest {
 protected:
  RandomListTest() : seed_(std::random_device()()), random_(seed_) {}
  uint64_t Chance(uint64_t n) { return random_() % n; }
  std::string Value() { return std::to_string(Chance(12)); }

  /// The same change to a list and to what it should be.
  void Change(ListKey& list, std::deque<std::string>* model) {
    const End end = Chance(2) == 0 ? End::kHead : End::kTail;
    const std::string value = Value();
    const auto index = model->empty() ? 0 : Chance(model->size());
    const auto at = model->begin() + static_cast<std::ptrdiff_t>(index);
    switch (Chance(8)) {
      case 0: {
        const size_t count = Chance(4);
        const size_t expected = std::min(count, model->size());
        EXPECT_EQ(expected, list.Pop(end, count).size());
        for (size_t i = 0; i < expected; ++i) end == End::kHead ? model->pop_front() : model->pop_back();
        return;
      }
      case 1:
        if (!model->empty()) *at = value;
        return void(list.Set(static_cast<int64_t>(index), value));
      case 2: {
        const auto pivot = std::find(model->begin(), model->end(), value);
        const bool there = pivot != model->end();
        EXPECT_EQ(there, list.Insert(value, end == End::kTail, "inserted"));
        if (there) model->insert(pivot + (end == End::kTail ? 1 : 0), "inserted");
        return;
      }
      case 3: {
        const auto there = std::find(model->begin(), model->end(), value);
        EXPECT_EQ(there == model->end() ? 0u : 1u, list.RemoveEqual(value, 1));
        if (there != model->end()) model->erase(there);
        return;
      }
      case 4:
        if (Chance(10) != 0) return;
        list.Trim({index, index + 20});
        model->erase(model->begin(), at);
        if (model->size() > 20) model->resize(20);
        return;
      default:
        Push(list, end, {value, "b"});
        for (const std::string& one : {value, std::string("b")})
          end == End::kHead ? model->push_front(one) : model->push_back(one);
    }
  }

  const uint64_t seed_;
  std::mt19937_64 random_;
};

TEST_F(RandomListTest, SeveralChangesInOneCommandAreSeenByTheNext) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  std::deque<std::string> model;
  for (int i = 0; i < 500; ++i) {
    Run(a_, [&](ListKey& list) {
      for (uint64_t n = Chance(6) + 1; n > 0; --n) {
        Change(list, &model);
        ASSERT_EQ(Values(model.begin(), model.end()), Of(list));
        for (size_t at = 0; at < model.size(); at += 3)
          ASSERT_EQ(model[at], list.At(static_cast<int64_t>(at)));
      }
    });
    ASSERT_EQ(Values(model.begin(), model.end()), Of(a_));
  }
  ASSERT_TRUE(index_.Rebuild(a_.slot(), &a_.store()).ok());
  EXPECT_EQ(Values(model.begin(), model.end()), Of(a_));
}

TEST_F(RandomListTest, RandomCommandsApartEndEqual) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  const auto change = [&](ListKey& list) {
    std::deque<std::string> model;
    for (const std::string& value : Of(list)) model.push_back(value);
    Change(list, &model);
    if (Chance(40) == 0) list.Remove();
    if (Chance(20) == 0 && list.exists()) list.ExpireAt(a_.now_ms() + Chance(400));
  };
  for (int i = 0; i < 1500; ++i) {
    RunApart(change, change);
    a_.Advance(Chance(20));
    b_.set_now_ms(a_.now_ms());
    ASSERT_EQ(Of(b_), Of(a_));
  }
}

}  // namespace
}  // namespace orrery::types

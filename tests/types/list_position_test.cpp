#include "orrery/types/list_position.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace orrery::types {
namespace {

using causality::Dot;

Dot DotOf(uint64_t node, uint64_t counter) {
  return {{NodeId{node << 40}, 1'700'000'000'000}, counter};
}

TEST(ListPositionTest, AMillionPushesAtAnEndStayShort) {
  std::string first = *PositionBetween({}, {}, DotOf(1, 1));
  std::string last = first;
  const size_t alone = first.size();
  for (uint64_t i = 2; i <= 1'000'000; ++i) {
    const std::string before = *PositionBetween({}, first, DotOf(1, i));
    const std::string behind = *PositionBetween(last, {}, DotOf(1, i));
    ASSERT_LT(before, first);
    ASSERT_LT(last, behind);
    first = before;
    last = behind;
  }
  // Three bytes of number and two more of the dot's counter.
  EXPECT_LE(first.size(), alone + 5);
  EXPECT_LE(last.size(), alone + 5);
}

TEST(ListPositionTest, InsertingBeforeOrBehindOneElementAgainAndAgainStaysShort) {
  const std::string left = *PositionBetween({}, {}, DotOf(1, 1));
  const std::string right = *PositionBetween(left, {}, DotOf(1, 2));
  std::string before_right = left, behind_left = right;
  for (uint64_t i = 3; i < 100'000; ++i) {
    const std::string later = *PositionBetween(before_right, right, DotOf(1, i));
    ASSERT_TRUE(before_right < later && later < right);
    before_right = later;
    const std::string earlier = *PositionBetween(left, behind_left, DotOf(2, i));
    ASSERT_TRUE(left < earlier && earlier < behind_left);
    behind_left = earlier;
  }
  EXPECT_LE(before_right.size(), 3 * left.size());
  EXPECT_LE(behind_left.size(), 3 * left.size());
}

TEST(ListPositionTest, TwoSidesNeverMakeTheSamePlaceAndTheirPushesInterleave) {
  const std::string shared = *PositionBetween({}, {}, DotOf(1, 1));
  std::string a = shared, b = shared;
  std::set<std::string> all = {shared};
  for (uint64_t i = 2; i < 100; ++i) {
    a = *PositionBetween(a, {}, DotOf(1, i));
    b = *PositionBetween(b, {}, DotOf(2, i));
    EXPECT_TRUE(all.insert(a).second);
    EXPECT_TRUE(all.insert(b).second);
    EXPECT_LT(a, b);
    EXPECT_EQ(b, *all.rbegin());
  }
}

TEST(ListPositionTest, WhatStoodThereBeforeHasAnotherPlace) {
  const std::string first = *PositionBetween({}, {}, DotOf(1, 1));
  EXPECT_NE(*PositionBetween(first, {}, DotOf(1, 2)), *PositionBetween(first, {}, DotOf(1, 3)));
}

TEST(ListPositionTest, ThereIsRoomBetweenAnyTwo) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<std::string> list;
  for (uint64_t i = 0; i < 5000; ++i) {
    // Sometimes far away, often beside what came last.
    const size_t at = random() % 4 == 0 || list.empty()
                          ? random() % (list.size() + 1)
                          : std::min(list.size(), random() % 3 + list.size() / 2);
    const auto before = at == 0 ? std::nullopt : std::optional<std::string_view>(list[at - 1]);
    const auto behind = at == list.size() ? std::nullopt : std::optional<std::string_view>(list[at]);
    const auto position = PositionBetween(before, behind, DotOf(random() % 3 + 1, i + 1));
    ASSERT_TRUE(position);
    ASSERT_TRUE(!before || *before < *position);
    ASSERT_TRUE(!behind || *position < *behind);
    list.insert(list.begin() + static_cast<std::ptrdiff_t>(at), *position);
  }
}

TEST(ListPositionTest, NumbersOfAllSizesSort) {
  // Two elements far apart, with all between them removed: what comes next takes the number beside the left
  // one.
  std::string last = *PositionBetween({}, {}, DotOf(1, 1));
  std::vector<std::string> kept = {last};
  for (uint64_t i = 2; i < 70'000; ++i) {
    last = *PositionBetween(last, {}, DotOf(1, i));
    if ((i & (i - 1)) == 0 || i % 256 < 2) kept.push_back(last);
  }
  for (size_t i = 1; i < kept.size(); ++i) {
    ASSERT_LT(kept[i - 1], kept[i]);
    const std::string middle = *PositionBetween(kept[i - 1], kept[i], DotOf(2, i));
    ASSERT_TRUE(kept[i - 1] < middle && middle < kept[i]);
  }
}

TEST(ListPositionTest, BytesThatAreNoPositionAreRefused) {
  const std::string good = *PositionBetween({}, {}, DotOf(1, 1));
  EXPECT_FALSE(PositionBetween("\x01", {}, DotOf(1, 2)));
  EXPECT_FALSE(PositionBetween({}, good.substr(0, 5), DotOf(1, 2)));
  EXPECT_FALSE(PositionBetween(good, good.substr(0, 3), DotOf(1, 2)));
  EXPECT_FALSE(PositionBetween(good, good, DotOf(1, 2)));
}

}  // namespace
}  // namespace orrery::types

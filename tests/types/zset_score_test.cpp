#include "orrery/types/zset_score.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace orrery::types {
namespace {

using causality::Cell;
using causality::CellKind;
using causality::Row;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Cell ValueCell(uint64_t counter, double score) {
  return {CellKind::kValue, {{1, 1}, counter}, counter, counter, ScorePayload(score), {}};
}
Cell IncrementCell(uint64_t node, uint64_t counter, std::string sum) {
  return {CellKind::kIncrement, {{node, 1}, counter}, counter, counter, std::move(sum), {}};
}
Row RowOf(const std::vector<Cell>& cells) {
  Row row;
  for (const Cell& cell : cells) row.Upsert(cell);
  return row;
}

TEST(ZsetScoreTest, OrderBytesSortAsScoresDo) {
  const std::vector<double> scores = {-kInfinity, -1e308, -2,  -1.5, -1e-300, 0,        5e-324,
                                      1e-300,     1,      1.5, 2,    1e308,   kInfinity};
  for (size_t i = 0; i < scores.size(); ++i) {
    EXPECT_EQ(scores[i], ScoreOfOrder(ScoreOrder(scores[i])));
  }
  for (size_t i = 1; i < scores.size(); ++i)
    EXPECT_LT(ScoreOrder(scores[i - 1]), ScoreOrder(scores[i])) << scores[i];
  EXPECT_EQ(ScoreOrder(0.0), ScoreOrder(-0.0));
}

TEST(ZsetScoreTest, MembersOfOneScoreSortByTheirBytes) {
  EXPECT_LT(MemberOrder(1, "b"), MemberOrder(1, "ba"));
  EXPECT_LT(MemberOrder(1, "b"), MemberOrder(1, "\xff"));
  EXPECT_LT(MemberOrder(1, "z"), MemberOrder(1.5, "a"));
}

TEST(ZsetScoreTest, TheNewestValueShowsAndZeroHasNoSign) {
  EXPECT_EQ(3, ShowScore(RowOf({ValueCell(1, 2), ValueCell(2, 3)})));
  EXPECT_FALSE(std::signbit(ShowScore(RowOf({ValueCell(1, -0.0)}))));
}

TEST(ZsetScoreTest, IncrementsOfSeveralActorsAddUp) {
  const Row row = RowOf({ValueCell(1, 10), IncrementCell(1, 2, GrownScoreSum({}, 10, 12.5)),
                         IncrementCell(2, 1, GrownScoreSum({}, 10, 9))});
  EXPECT_EQ(11.5, ShowScore(row));
  EXPECT_EQ(2.5, ShowScore(RowOf({IncrementCell(1, 2, GrownScoreSum({}, 0, 2.5))})));
}

TEST(ZsetScoreTest, CountingOnShowsWhatRewritingWould) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> mantissa(-1, 1);
  for (int round = 0; round < 100; ++round) {
    double rewritten = mantissa(random) * 100;
    const double value = rewritten;
    std::string sum;
    for (int i = 0; i < 100; ++i) {
      const double wanted = rewritten + mantissa(random) * std::pow(10.0, static_cast<double>(random() % 6));
      sum = GrownScoreSum(sum, rewritten, wanted);
      rewritten = wanted;
      ASSERT_EQ(rewritten, ShowScore(RowOf({ValueCell(1, value), IncrementCell(1, 2, sum)})));
    }
  }
}

TEST(ZsetScoreTest, WhatASumHasCountedSinceIsItsDifference) {
  const std::string seen = GrownScoreSum({}, 0, 2), now = GrownScoreSum(seen, 2, 5.25);
  const std::string since = AddToScoreSum({}, now, seen);
  EXPECT_EQ(3.25, ShowScore(RowOf({IncrementCell(1, 1, since)})));
  EXPECT_EQ(5.25, ShowScore(RowOf({IncrementCell(1, 1, AddToScoreSum(since, seen, {}))})));
  EXPECT_EQ("", AddToScoreSum({}, now, now));
}

TEST(ZsetScoreTest, ForeignPayloadsShowNumbers) {
  EXPECT_EQ(0, ShowScore(RowOf({ValueCell(1, kInfinity), IncrementCell(1, 2, ScorePayload(-kInfinity))})));
  Cell shortened = ValueCell(1, 2);
  shortened.payload.clear();
  EXPECT_EQ(0, ShowScore(RowOf({shortened})));
}

}  // namespace
}  // namespace orrery::types

#include "orrery/types/geohash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace orrery::types {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr GeoPoint kPalermo{13.361389, 38.115556};
constexpr GeoPoint kCatania{15.087269, 37.502669};

TEST(GeohashTest, ScoresAreThoseOfRedis) {
  EXPECT_EQ(3479099956230698.0, ScoreOfPoint(kPalermo));
  EXPECT_EQ(3479447370796909.0, ScoreOfPoint(kCatania));
  EXPECT_EQ(0, ScoreOfPoint({-kLongitudeMax, -kLatitudeMax}));
  EXPECT_EQ(std::ldexp(1.0, 53) + std::ldexp(1.0, 52), ScoreOfPoint({kLongitudeMax, kLatitudeMax}));
}

TEST(GeohashTest, GeohashesAreThoseOfTheSite) {
  EXPECT_EQ("sqc8b49rny0", GeohashText(PointOfScore(ScoreOfPoint(kPalermo))));
  EXPECT_EQ("sqdtr74hyu0", GeohashText(PointOfScore(ScoreOfPoint(kCatania))));
}

TEST(GeohashTest, OnlyTheMapHasScores) {
  EXPECT_TRUE(IsOnMap({180, 85.05112878}));
  EXPECT_TRUE(IsOnMap({-180, -85.05112878}));
  EXPECT_FALSE(IsOnMap({180.1, 0}));
  EXPECT_FALSE(IsOnMap({0, 85.06}));
}

TEST(GeohashTest, AnyScoreNamesAPlaceOnTheMap) {
  for (const double score : {-1.0, -kInfinity, 0.5, std::ldexp(1.0, 60), 1e300, kInfinity}) {
    EXPECT_TRUE(IsOnMap(PointOfScore(score))) << score;
  }
}

TEST(GeohashTest, DistancesFollowTheSphere) {
  EXPECT_NEAR(166274.15, GeoDistance(kPalermo, kCatania), 1);
  EXPECT_EQ(0, GeoDistance(kPalermo, kPalermo));
  const double quarter = GeoDistance({0, 0}, {90, 0});
  EXPECT_NEAR(quarter, GeoDistance({10, 0}, {10, 90}), 1e-6);
  EXPECT_NEAR(2 * quarter, GeoDistance({-90, 0}, {90, 0}), 1e-6);
  EXPECT_NEAR(GeoDistance({179, 5}, {-179, 5}), GeoDistance({-1, 5}, {1, 5}), 1e-6);
}

class GeoShapeTest : public testing::Test {
 protected:
  GeoShapeTest() : seed_(std::random_device()()), random_(seed_) {}

  double Uniform(double from, double to) { return std::uniform_real_distribution<double>(from, to)(random_); }
  /// Now and then where the map ends.
  double Coordinate(double max) {
    const double edge = random_() % 2 == 0 ? max : -max;
    return random_() % 8 == 0 ? edge : random_() % 8 == 0 ? edge * 0.9999 : Uniform(-max, max);
  }
  GeoPoint Point() { return {Coordinate(kLongitudeMax), Coordinate(kLatitudeMax)}; }
  /// From a metre to the whole earth.
  double Metres() { return std::pow(10, Uniform(0, 7.6)); }
  GeoShape Shape() {
    GeoShape shape;
    shape.center = Point();
    shape.is_box = random_() % 2 == 0;
    shape.radius = Metres();
    shape.width = Metres();
    shape.height = Metres();
    return shape;
  }
  /// Most of them near the center, since few others are inside.
  GeoPoint PointNear(const GeoShape& shape) {
    if (random_() % 4 == 0) return Point();
    const double reach = (shape.is_box ? std::max(shape.width, shape.height) / 2 : shape.radius) / 111000;
    const double stretch = 1 / std::cos(shape.center.latitude * 0.0174);
    const double longitude = shape.center.longitude + Uniform(-reach, reach) * stretch;
    return {std::remainder(longitude, 360),
            std::clamp(shape.center.latitude + Uniform(-reach, reach), -kLatitudeMax, kLatitudeMax)};
  }

  const uint64_t seed_;
  std::mt19937_64 random_;
};

TEST_F(GeoShapeTest, NoPointInsideHasAScoreOutside) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  size_t inside = 0;
  for (int i = 0; i < 2000; ++i) {
    const GeoShape shape = Shape();
    const auto ranges = shape.ScoresInside();
    for (int j = 0; j < 50; ++j) {
      const double score = ScoreOfPoint(PointNear(shape));
      if (!shape.DistanceInside(PointOfScore(score))) continue;
      ++inside;
      const bool covered = std::any_of(ranges.begin(), ranges.end(), [&](const GeoShape::Scores& range) {
        return range.begin <= score && score < range.end;
      });
      ASSERT_TRUE(covered) << shape.center.longitude << " " << shape.center.latitude << " box "
                           << shape.is_box << " " << shape.radius << " " << shape.width << " " << shape.height
                           << " score " << score;
    }
  }
  EXPECT_GT(inside, 10000u);
}

TEST_F(GeoShapeTest, RangesAreFewAndApartAndBeginWithTheCenters) {
  SCOPED_TRACE("seed " + std::to_string(seed_));
  for (int i = 0; i < 2000; ++i) {
    const GeoShape shape = Shape();
    auto ranges = shape.ScoresInside();
    EXPECT_LE(ranges.size(), 19u);
    const double center = ScoreOfPoint(shape.center);
    EXPECT_TRUE(ranges[0].begin <= center && center < ranges[0].end);
    std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
    for (size_t j = 0; j < ranges.size(); ++j) {
      EXPECT_LT(ranges[j].begin, ranges[j].end);
      EXPECT_TRUE(j == 0 || ranges[j - 1].end < ranges[j].begin);
    }
  }
}

TEST_F(GeoShapeTest, ASmallCircleLooksAtASmallPartOfTheMap) {
  GeoShape shape;
  shape.center = kPalermo;
  shape.radius = 1000;
  double looked_at = 0;
  for (const auto& [begin, end] : shape.ScoresInside()) {
    if (begin < std::ldexp(1.0, 52)) looked_at += end - begin;
  }
  // The circle's own share of the map is about 6e-9.
  EXPECT_LT(looked_at / std::ldexp(1.0, 52), 1e-7);
}

TEST_F(GeoShapeTest, ShapesReachAcrossTheDateLineAndOverThePole) {
  GeoShape circle;
  circle.center = {179.9, 0};
  circle.radius = 50000;
  EXPECT_TRUE(circle.DistanceInside({-179.9, 0}));
  EXPECT_FALSE(circle.DistanceInside({-179.0, 0}));
  circle.center = {0, 85};
  circle.radius = 1200000;
  EXPECT_TRUE(circle.DistanceInside({180, 85}));
  GeoShape box;
  box.is_box = true;
  box.center = {0, 0};
  box.width = 2000;
  box.height = 400000;
  EXPECT_TRUE(box.DistanceInside({0, 1.5}));
  EXPECT_FALSE(box.DistanceInside({1.5, 0}));
}

}  // namespace
}  // namespace orrery::types

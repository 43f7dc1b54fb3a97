#include "orrery/types/geohash.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace orrery::types {
namespace {

constexpr int kSteps = 26;  // bits of each coordinate
constexpr double kFields = double{1 << kSteps};
constexpr double kEarthRadius = 6372797.560856;  // Redis's, in metres
constexpr double kRadiansPerDegree = std::numbers::pi / 180;

double Radians(double degrees) {
  return degrees * kRadiansPerDegree;
}

/// Moves the bits of a coordinate to the even places, and back.
uint64_t Spread(uint64_t bits) {
  bits = (bits | bits << 16) & 0x0000ffff0000ffff;
  bits = (bits | bits << 8) & 0x00ff00ff00ff00ff;
  bits = (bits | bits << 4) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits << 2) & 0x3333333333333333;
  return (bits | bits << 1) & 0x5555555555555555;
}
uint64_t Gather(uint64_t bits) {
  bits &= 0x5555555555555555;
  bits = (bits | bits >> 1) & 0x3333333333333333;
  bits = (bits | bits >> 2) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits >> 4) & 0x00ff00ff00ff00ff;
  bits = (bits | bits >> 8) & 0x0000ffff0000ffff;
  return (bits | bits >> 16) & 0x00000000ffffffff;
}

uint64_t Interleave(uint64_t row, uint64_t column) {
  return Spread(row) | Spread(column) << 1;
}

/// The field in which a coordinate of [-max, max] lies. That of max itself is one beyond the last, as in
/// Redis.
uint64_t FieldOf(double coordinate, double max) {
  return static_cast<uint64_t>((coordinate + max) / (2 * max) * kFields);
}
uint64_t BitsOf(const GeoPoint& point, double latitude_max) {
  return Interleave(FieldOf(point.latitude, latitude_max), FieldOf(point.longitude, kLongitudeMax));
}

double MiddleOfField(uint64_t field, double max) {
  const double scale = 2 * max;
  const double from = -max + static_cast<double>(field) / kFields * scale;
  const double to = -max + static_cast<double>(field + 1) / kFields * scale;
  return std::clamp((from + to) / 2, -max, max);
}

double LatitudeDistance(double a, double b) {
  return kEarthRadius * std::fabs(Radians(b) - Radians(a));
}

// ---- what a shape may reach ----

/// In degrees; west and east may pass the map's ends.
struct Bounds {
  double south, north, west, east;
};

/// Computed distances are only so exact; no shape must lose a point for that.
constexpr double kSlackDegrees = 1e-6;

/// How far west and east of its center a circle of that angle reaches: where its meridians touch it.
double CircleReach(double latitude, double angle) {
  const double rest = std::fabs(Radians(latitude)) + angle;
  if (rest >= std::numbers::pi / 2) return kLongitudeMax;
  return std::asin(std::min(1.0, std::sin(angle) / std::cos(Radians(latitude)))) / kRadiansPerDegree;
}

/// How far a box reaches that is half_angle wide along a parallel: farthest where the parallels are shortest.
double BoxReach(double latitude, double half_height, double half_angle) {
  const double farthest = std::min(std::fabs(latitude) + half_height, kLatitudeMax + kSlackDegrees);
  const double shortest = std::cos(Radians(farthest));
  const double half_chord = std::sin(std::min(half_angle / 2, std::numbers::pi / 2)) / shortest;
  return half_chord >= 1 ? kLongitudeMax : 2 * std::asin(half_chord) / kRadiansPerDegree;
}

Bounds BoundsOf(const GeoShape& shape) {
  const double latitude = shape.center.latitude;
  const double up_metres = shape.is_box ? shape.height / 2 : shape.radius;
  const double up = up_metres / kEarthRadius / kRadiansPerDegree + kSlackDegrees;
  double aside = shape.is_box ? BoxReach(latitude, up, shape.width / 2 / kEarthRadius)
                              : CircleReach(latitude, shape.radius / kEarthRadius);
  aside = std::min(aside + kSlackDegrees, kLongitudeMax);
  return {std::max(latitude - up, -kLatitudeMax), std::min(latitude + up, kLatitudeMax),
          shape.center.longitude - aside, shape.center.longitude + aside};
}

// ---- cells that cover it ----

/// Cells of one size from first to last.
struct Cells {
  uint64_t first, last;
  uint64_t size() const { return last - first + 1; }
};

/// Those that [from, to] touches when [-max, max] has 2^steps of them.
Cells CellsOf(double from, double to, double max, int steps) {
  const double cells = std::ldexp(1.0, steps);
  const auto cell = [&](double at) {
    return static_cast<uint64_t>(std::clamp(std::floor((at + max) / (2 * max) * cells), 0.0, cells - 1));
  };
  return {cell(from), cell(to)};
}

/// The bounds cut where they pass the map's ends, which meet on the earth.
std::vector<Bounds> CutAtEnds(const Bounds& bounds) {
  const auto& [south, north, west, east] = bounds;
  constexpr double kTurn = 2 * kLongitudeMax;
  if (west < -kLongitudeMax) {
    return {{south, north, west + kTurn, kLongitudeMax}, {south, north, -kLongitudeMax, east}};
  }
  if (east > kLongitudeMax) {
    return {{south, north, west, kLongitudeMax}, {south, north, -kLongitudeMax, east - kTurn}};
  }
  return {bounds};
}

using Scores = GeoShape::Scores;

/// The smallest cells of which two or three of each direction cover the bounds.
void Cover(const Bounds& bounds, std::vector<Scores>* scores) {
  constexpr uint64_t kCellsMax = 3;
  for (int steps = kSteps;; --steps) {
    const Cells rows = CellsOf(bounds.south, bounds.north, kLatitudeMax, steps);
    const Cells columns = CellsOf(bounds.west, bounds.east, kLongitudeMax, steps);
    if (rows.size() > kCellsMax || columns.size() > kCellsMax) continue;
    const int shift = 2 * (kSteps - steps);
    for (uint64_t row = rows.first; row <= rows.last; ++row) {
      for (uint64_t column = columns.first; column <= columns.last; ++column) {
        const uint64_t cell = Interleave(row, column);
        scores->push_back({static_cast<double>(cell << shift), static_cast<double>((cell + 1) << shift)});
      }
    }
    return;
  }
}

}  // namespace

bool IsOnMap(const GeoPoint& point) {
  return std::fabs(point.longitude) <= kLongitudeMax && std::fabs(point.latitude) <= kLatitudeMax;
}

double ScoreOfPoint(const GeoPoint& point) {
  return static_cast<double>(BitsOf(point, kLatitudeMax));
}

GeoPoint PointOfScore(double score) {
  constexpr double kBitsEnd = 18446744073709551616.0;
  uint64_t bits = 0;
  if (score >= kBitsEnd) {
    bits = std::numeric_limits<uint64_t>::max();
  } else if (score > 0) {
    bits = static_cast<uint64_t>(score);
  }
  return {MiddleOfField(Gather(bits >> 1), kLongitudeMax), MiddleOfField(Gather(bits), kLatitudeMax)};
}

std::string GeohashText(const GeoPoint& point) {
  constexpr char kLetters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
  // Elsewhere the map goes up to the poles.
  const uint64_t bits = BitsOf(point, 90);
  std::string text;
  for (int shift = 2 * kSteps - 5; shift >= 0; shift -= 5) text.push_back(kLetters[(bits >> shift) & 31]);
  // Two bits are left, which Redis does not show.
  text.push_back('0');
  return text;
}

double GeoDistance(const GeoPoint& a, const GeoPoint& b) {
  const double across = std::sin((Radians(b.longitude) - Radians(a.longitude)) / 2);
  if (across == 0) return LatitudeDistance(a.latitude, b.latitude);
  const double from = Radians(a.latitude), to = Radians(b.latitude);
  const double along = std::sin((to - from) / 2);
  const double haversine = along * along + std::cos(from) * std::cos(to) * across * across;
  return 2 * kEarthRadius * std::asin(std::sqrt(std::min(haversine, 1.0)));
}

std::optional<double> GeoShape::DistanceInside(const GeoPoint& point) const {
  if (is_box) {
    if (LatitudeDistance(point.latitude, center.latitude) > height / 2) return std::nullopt;
    const GeoPoint beside{center.longitude, point.latitude};
    if (GeoDistance(point, beside) > width / 2) return std::nullopt;
  }
  const double distance = GeoDistance(center, point);
  if (!is_box && distance > radius) return std::nullopt;
  return distance;
}

std::vector<Scores> GeoShape::ScoresInside() const {
  std::vector<Scores> scores;
  for (const Bounds& bounds : CutAtEnds(BoundsOf(*this))) Cover(bounds, &scores);
  // Points on the map's very end have scores beyond its last field.
  scores.push_back({kFields * kFields, 4 * kFields * kFields});
  std::sort(scores.begin(), scores.end(), [](const Scores& a, const Scores& b) { return a.begin < b.begin; });
  std::vector<Scores> joined;
  for (const Scores& each : scores) {
    if (!joined.empty() && each.begin <= joined.back().end) {
      joined.back().end = std::max(joined.back().end, each.end);
    } else {
      joined.push_back(each);
    }
  }
  const double center_score = IsOnMap(center) ? ScoreOfPoint(center) : 0;
  std::stable_partition(joined.begin(), joined.end(), [&](const Scores& each) {
    return each.begin <= center_score && center_score < each.end;
  });
  return joined;
}

}  // namespace orrery::types

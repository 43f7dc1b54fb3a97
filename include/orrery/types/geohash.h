#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace orrery::types {

/// Places on the earth as scores of a sorted set (https://en.wikipedia.org/wiki/Geohash): 26 bits of latitude
/// and 26 of longitude, interleaved (Morton, "A Computer Oriented Geodetic Data Base", 1966), so that places
/// of near scores are near each other. The numbers are those of Redis, whose sets may be moved here and back.
/// Pure.
struct GeoPoint {
  double longitude = 0;  ///< degrees, as latitude
  double latitude = 0;
};

/// What a score can hold: the square map of the Mercator projection.
inline constexpr double kLongitudeMax = 180;
inline constexpr double kLatitudeMax = 85.05112878;
bool IsOnMap(const GeoPoint& point);

/// REQUIRES: IsOnMap(point).
double ScoreOfPoint(const GeoPoint& point);
/// The middle of the field that the score names, less than a metre from what was scored. Of any score, one
/// that no point has included.
GeoPoint PointOfScore(double score);
/// Eleven letters as on geohash.org; the last one is always 0.
std::string GeohashText(const GeoPoint& point);

/// Metres along the surface of a sphere, by the haversine formula.
double GeoDistance(const GeoPoint& a, const GeoPoint& b);

/// What a search looks for: a circle, or a box whose height lies north and south and whose width is measured
/// along the latitude of the point in question. Metres.
struct GeoShape {
  GeoPoint center;
  bool is_box = false;
  double radius = 0;
  double width = 0;
  double height = 0;

  /// How far from the center; nullopt outside.
  std::optional<double> DistanceInside(const GeoPoint& point) const;

  /// Ranges of scores, begin inclusive and end exclusive, that have all points inside and, as a rule, not
  /// many others: first that of the center, then the others upwards. Twenty at most.
  struct Scores {
    double begin = 0;
    double end = 0;
  };
  std::vector<Scores> ScoresInside() const;
};

}  // namespace orrery::types

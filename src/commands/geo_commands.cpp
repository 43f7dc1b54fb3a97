// https://redis.io/commands/?group=geo: places as members of a sorted set.

#include <cstdio>
#include <vector>

#include "commands/command_families.h"
#include "commands/geo_support.h"
#include "commands/zset_add.h"

namespace orrery::commands {

using types::GeoPoint;
using types::ZsetKey;

std::optional<GeoPoint> PointArgs(CommandContext& context, size_t arg) {
  const auto longitude = ScoreArg(context, arg);
  const auto latitude = longitude ? ScoreArg(context, arg + 1) : std::nullopt;
  if (!latitude) return std::nullopt;
  const GeoPoint point{*longitude, *latitude};
  if (types::IsOnMap(point)) return point;
  char text[800];
  const int length =
      std::snprintf(text, sizeof text, "ERR invalid longitude,latitude pair %f,%f", *longitude, *latitude);
  context.reply.Error(std::string_view(text, static_cast<size_t>(length)));
  return std::nullopt;
}

std::optional<double> UnitArg(CommandContext& context, size_t arg) {
  const std::string_view unit = context.arg(arg);
  if (Is(unit, "m")) return 1.0;
  if (Is(unit, "km")) return 1000.0;
  if (Is(unit, "ft")) return 0.3048;
  if (Is(unit, "mi")) return 1609.34;
  context.reply.Error("ERR unsupported unit provided. please use M, KM, FT, MI");
  return std::nullopt;
}

std::optional<GeoPoint> PointOf(const ZsetKey& key, std::string_view member) {
  const auto score = key.Score(member);
  if (!score) return std::nullopt;
  return types::PointOfScore(*score);
}

void ReplyDistance(CommandContext& context, double distance) {
  char text[400];
  const int length = std::snprintf(text, sizeof text, "%.4f", distance);
  context.reply.BulkString(std::string_view(text, static_cast<size_t>(length)));
}

void ReplyPoint(CommandContext& context, const GeoPoint& point) {
  context.reply.Array(2);
  context.reply.LongDouble(point.longitude);
  context.reply.LongDouble(point.latitude);
}

namespace {

// GEOADD key [NX|XX] [CH] longitude latitude member [longitude latitude member...]
void GeoAdd(CommandContext& context) {
  AddOptions options;
  size_t from = 2;
  for (; from < context.argc(); ++from) {
    const std::string_view arg = context.arg(from);
    const bool is_option = Is(arg, "nx") || Is(arg, "xx") || Is(arg, "ch");
    if (!is_option || !TakeAddOption(arg, &options)) break;
  }
  const size_t count = context.argc() - from;
  if (count % 3 != 0 || count == 0 || (options.only_new && options.only_present)) {
    return context.reply.Error(kSyntaxError);
  }
  std::vector<AddedScore> scores;
  for (size_t i = from; i < context.argc(); i += 3) {
    const auto point = PointArgs(context, i);
    if (!point) return;
    scores.push_back({types::ScoreOfPoint(*point), context.arg(i + 2)});
  }
  AddScores(context, options, scores);
}

void GeoPos(CommandContext& context) {
  const ZsetKey key = ZsetAt(context, 1);
  if (!IsZset(context, key)) return;
  context.reply.Array(context.argc() - 2);
  for (size_t i = 2; i < context.argc(); ++i) {
    const auto point = PointOf(key, context.arg(i));
    point ? ReplyPoint(context, *point) : context.reply.NullArray();
  }
}

void GeoHash(CommandContext& context) {
  const ZsetKey key = ZsetAt(context, 1);
  if (!IsZset(context, key)) return;
  context.reply.Array(context.argc() - 2);
  for (size_t i = 2; i < context.argc(); ++i) {
    const auto point = PointOf(key, context.arg(i));
    point ? context.reply.BulkString(types::GeohashText(*point)) : context.reply.Null();
  }
}

// GEODIST key member1 member2 [unit]
void GeoDist(CommandContext& context) {
  if (context.argc() > 5) return context.reply.Error(kSyntaxError);
  const auto unit = context.argc() == 5 ? UnitArg(context, 4) : std::optional<double>(1);
  if (!unit) return;
  const ZsetKey key = ZsetAt(context, 1);
  if (!IsZset(context, key)) return;
  const auto from = PointOf(key, context.arg(2)), to = PointOf(key, context.arg(3));
  if (!from || !to) return context.reply.Null();
  ReplyDistance(context, types::GeoDistance(*from, *to) / *unit);
}

constexpr CommandSpec GeoSpec(std::string_view name, int arity, uint32_t flags, Handler handler,
                              std::string_view complexity, std::string_view summary) {
  return Keyed(name, arity, flags, kFirstKey, handler, "geo", "3.2.0", complexity, summary);
}

constexpr CommandSpec kSpecs[] = {
    GeoSpec("geoadd", -5, kWrite | kDenyOom, GeoAdd, "O(log(N)) for each place, with N members",
            "Adds places"),
    GeoSpec("geodist", -4, kReadonly, GeoDist, "O(1)", "The distance between two members"),
    GeoSpec("geohash", -2, kReadonly, GeoHash, "O(N) with N members given", "The geohashes of members"),
    GeoSpec("geopos", -2, kReadonly, GeoPos, "O(N) with N members given",
            "Longitude and latitude of members"),
};

}  // namespace

std::span<const CommandSpec> GeoCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

// GEOSEARCH, GEORADIUS and their kin (https://redis.io/commands/geosearch/): candidates are the members in a
// few ranges of scores that cover the shape, of which those are kept that lie inside.

#include <algorithm>
#include <string>
#include <vector>

#include "commands/command_families.h"
#include "commands/geo_search.h"

namespace orrery::commands {
namespace {

using types::ZsetKey;

struct Found {
  std::string member;
  double score = 0;
  types::GeoPoint point;
  double distance = 0;  ///< metres
};

std::vector<Found> Search(const ZsetKey& key, const GeoQuery& query) {
  std::vector<Found> found;
  const bool stops_early = query.any && query.count > 0;
  types::ZsetOrder order(key);
  for (const auto& [begin, end] : query.shape.ScoresInside()) {
    order.Visit(order.ByScore({begin, false}, {end, true}), false,
                [&](std::string_view member, double score) {
                  const types::GeoPoint point = types::PointOfScore(score);
                  if (const auto distance = query.shape.DistanceInside(point)) {
                    found.push_back({std::string(member), score, point, *distance});
                  }
                  return !stops_early || found.size() < query.count;
                });
    if (stops_early && found.size() >= query.count) break;
  }
  return found;
}

void SortAndCut(const GeoQuery& query, std::vector<Found>* found) {
  const bool down = query.sort == GeoQuery::Sort::kFarthestFirst;
  const auto is_before = [down](const Found& a, const Found& b) {
    if (a.distance != b.distance) return down ? a.distance > b.distance : a.distance < b.distance;
    return a.member < b.member;
  };
  const size_t wanted = query.count == 0 ? found->size() : std::min<size_t>(found->size(), query.count);
  if (query.sort != GeoQuery::Sort::kNone) {
    std::partial_sort(found->begin(), found->begin() + static_cast<ptrdiff_t>(wanted), found->end(),
                      is_before);
  }
  found->resize(wanted);
}

void Store(CommandContext& context, const GeoQuery& query, const std::vector<Found>& found) {
  std::vector<types::ScoredMember> members;
  for (const Found& each : found) {
    members.push_back({each.member, query.stores_distance ? each.distance / query.unit : each.score});
  }
  StoreMembers(context, *query.store_key, members);
}

void Reply(CommandContext& context, const GeoQuery& query, const std::vector<Found>& found) {
  const size_t shown = size_t{query.with_distance} + size_t{query.with_score} + size_t{query.with_point};
  context.reply.Array(found.size());
  for (const Found& each : found) {
    if (shown > 0) context.reply.Array(1 + shown);
    context.reply.BulkString(each.member);
    if (query.with_distance) ReplyDistance(context, each.distance / query.unit);
    if (query.with_score) context.reply.Integer(static_cast<int64_t>(each.score));
    if (query.with_point) ReplyPoint(context, each.point);
  }
}

void Run(CommandContext& context, const GeoForm& form) {
  const ZsetKey key = ZsetAt(context, form.stores ? 2 : 1);
  if (!IsZset(context, key)) return;
  const auto query = ParseGeoQuery(context, form, key);
  if (!query) return;
  std::vector<Found> found;
  if (key.exists()) found = Search(key, *query);
  SortAndCut(*query, &found);
  query->store_key ? Store(context, *query, found) : Reply(context, *query, found);
}

using From = GeoForm::From;
void GeoSearch(CommandContext& context) {
  Run(context, {});
}
void GeoSearchStore(CommandContext& context) {
  Run(context, {From::kOptions, false, true});
}
void GeoRadius(CommandContext& context) {
  Run(context, {From::kPoint, true, false});
}
void GeoRadiusRo(CommandContext& context) {
  Run(context, {From::kPoint, false, false});
}
void GeoRadiusByMember(CommandContext& context) {
  Run(context, {From::kMember, true, false});
}
void GeoRadiusByMemberRo(CommandContext& context) {
  Run(context, {From::kMember, false, false});
}

constexpr std::string_view kCost = "O(log(N)+M) with N members, M of which are in a box around the area";

constexpr CommandSpec Searching(std::string_view name, int arity, uint32_t flags, KeyRange keys,
                                Handler handler, std::string_view since, std::string_view summary) {
  return LooksUp(
      With(Keyed(name, arity, flags, keys, handler, "geo", since, kCost, summary), Spread::kGather));
}
// Options from store_arg on may name a key to store to.
constexpr CommandSpec MayStore(CommandSpec spec, uint8_t store_arg) {
  spec.flags |= kMovableKeys;
  spec.store_option_arg = store_arg;
  return spec;
}

constexpr CommandSpec kSpecs[] = {
    MayStore(Searching("georadius", -6, kWrite | kDenyOom, kFirstKey, GeoRadius, "3.2.0",
                       "Members within a distance of a point"),
             6),
    Searching("georadius_ro", -6, kReadonly, kFirstKey, GeoRadiusRo, "3.2.10",
              "Members within a distance of a point"),
    MayStore(Searching("georadiusbymember", -5, kWrite | kDenyOom, kFirstKey, GeoRadiusByMember, "3.2.0",
                       "Members within a distance of a member"),
             5),
    Searching("georadiusbymember_ro", -5, kReadonly, kFirstKey, GeoRadiusByMemberRo, "3.2.10",
              "Members within a distance of a member"),
    Searching("geosearch", -7, kReadonly, kFirstKey, GeoSearch, "6.2.0", "Members in a circle or a box"),
    Searching("geosearchstore", -8, kWrite | kDenyOom, {1, 2, 1}, GeoSearchStore, "6.2.0",
              "Stores the members in a circle or a box"),
};

}  // namespace

std::span<const CommandSpec> GeoSearchCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

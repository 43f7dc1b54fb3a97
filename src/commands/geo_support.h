#pragma once

#include <optional>
#include <string>

#include "commands/zset_support.h"
#include "orrery/commands/command.h"
#include "orrery/types/geohash.h"

namespace orrery::commands {

/// What GEOADD and the searches share.

/// Longitude and latitude; otherwise Redis's error reply.
std::optional<types::GeoPoint> PointArgs(CommandContext& context, size_t arg);
/// Metres in M, KM, FT or MI; otherwise Redis's error reply.
std::optional<double> UnitArg(CommandContext& context, size_t arg);
/// Where a member lies; nullopt if it is absent.
std::optional<types::GeoPoint> PointOf(const types::ZsetKey& key, std::string_view member);
/// With four places, as Redis prints distances.
void ReplyDistance(CommandContext& context, double distance);
void ReplyPoint(CommandContext& context, const types::GeoPoint& point);

}  // namespace orrery::commands

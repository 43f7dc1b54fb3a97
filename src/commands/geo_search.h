#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "commands/geo_support.h"
#include "orrery/commands/command.h"
#include "orrery/types/geohash.h"

namespace orrery::commands {

/// Which of the searches a command is (https://redis.io/commands/geosearch/).
struct GeoForm {
  enum class From : uint8_t { kPoint, kMember, kOptions };
  From from = From::kOptions;
  bool may_store = false;  ///< GEORADIUS: by an option STORE or STOREDIST
  bool stores = false;     ///< GEOSEARCHSTORE: the first key is the target
};

/// What a search's arguments ask for.
struct GeoQuery {
  types::GeoShape shape;
  double unit = 1;
  bool with_distance = false;
  bool with_score = false;
  bool with_point = false;
  enum class Sort : uint8_t { kNone, kNearestFirst, kFarthestFirst };
  Sort sort = Sort::kNone;
  uint64_t count = 0;  ///< 0: all
  bool any = false;    ///< the first that are found
  std::optional<std::string_view> store_key;
  bool stores_distance = false;
};

/// Reads all arguments, the member that a search starts from included. key: the source, which is a sorted set
/// or absent. nullopt: Redis's error was replied.
std::optional<GeoQuery> ParseGeoQuery(CommandContext& context, const GeoForm& form,
                                      const types::ZsetKey& key);

}  // namespace orrery::commands

#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "server/connection.h"

namespace orrery::server {

/// Which clients CLIENT LIST and CLIENT KILL mean: those that match everything that is set. A value, sent to
/// all loops.
struct ClientFilter {
  std::set<uint64_t> ids;     ///< empty: any
  std::string address;        ///< empty: any
  std::string local_address;  ///< likewise
  std::optional<uint64_t> age_min_s;
  std::optional<uint64_t> spared_id;
  bool nobody = false;  ///< a type that no client here has, or ids that none can have

  bool Matches(const ClientConnection& client) const;
};

/// The options of CLIENT LIST, or of the newer form of CLIENT KILL by client `asking_id`. Return the error to
/// answer, or nothing.
std::string ParseListFilter(commands::Args args, ClientFilter* filter);
std::string ParseKillFilter(commands::Args args, uint64_t asking_id, ClientFilter* filter);

}  // namespace orrery::server

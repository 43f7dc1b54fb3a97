#pragma once

#include <span>
#include <string_view>

#include "orrery/commands/command.h"

namespace orrery::server {

/// A command that exists for this module's sake alone: CLIENT QUORUM, and commands of Redis that are refused
/// with a reason instead of being unknown.
struct OwnSpec {
  std::string_view parent;  ///< empty for a command without one
  commands::CommandSpec spec;
};

/// Static data; any thread.
std::span<const OwnSpec> OwnSpecs();

}  // namespace orrery::server

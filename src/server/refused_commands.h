#pragma once

#include <span>

#include "orrery/commands/command.h"

namespace orrery::server {

/// Commands of Redis that do not exist here and are refused with a reason instead of being unknown. COMMAND
/// does not list them. Static data; any thread.
std::span<const commands::CommandSpec> RefusedCommands();

}  // namespace orrery::server

#pragma once

#include <string_view>

#include "orrery/commands/command.h"

namespace orrery::commands {

/// The handlers of requests that nodes make for themselves (internal_requests.h builds them): orrery.fetch, .drop, .scan,
/// .flush, .purge, and those of debug_commands.h. nullptr for another name.
Handler FindInternal(std::string_view name);

}  // namespace orrery::commands

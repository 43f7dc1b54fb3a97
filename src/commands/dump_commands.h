#pragma once

#include <string_view>

#include "orrery/commands/command.h"
#include "orrery/types/dump.h"
#include "orrery/types/string_type.h"

namespace orrery::commands {

/// All that the key shows, as DUMP has it. `name` is the key.
types::DumpValue DumpValueOf(CommandContext& context, const types::StringKey& key, std::string_view name);

}  // namespace orrery::commands

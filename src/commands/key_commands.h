#pragma once

#include "orrery/commands/command.h"

namespace orrery::commands {

/// MEMORY USAGE key [SAMPLES count]: stands in the table below MEMORY, whose other subcommands are the node's own.
void MemoryUsage(CommandContext& context);

}  // namespace orrery::commands

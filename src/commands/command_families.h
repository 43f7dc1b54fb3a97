#pragma once

#include <span>
#include <vector>

#include "orrery/commands/command.h"

namespace orrery::commands {

/// The specs of commands that the node itself answers (module server), and of those that ask the whole
/// cluster (keyspace operations of this module). Static data; any thread.
std::span<const CommandSpec> ConnectionCommands();
std::span<const CommandSpec> ServerCommands();
std::span<const CommandSpec> ClusterCommands();
std::span<const CommandSpec> KeyspaceCommands();

/// The specs of commands that slots run.
std::span<const CommandSpec> StringCommands();
std::span<const CommandSpec> LcsCommands();
std::span<const CommandSpec> BitmapCommands();
std::span<const CommandSpec> BitfieldCommands();
std::span<const CommandSpec> KeyCommands();
std::span<const CommandSpec> DumpCommands();
std::span<const CommandSpec> DynamoCommands();
std::span<const CommandSpec> HashCommands();
std::span<const CommandSpec> HyperLogLogCommands();
std::span<const CommandSpec> SetCommands();
std::span<const CommandSpec> SetAlgebraCommands();
std::span<const CommandSpec> SortCommands();
std::span<const CommandSpec> ListCommands();
std::span<const CommandSpec> ListElementCommands();
std::span<const CommandSpec> ListBlockingCommands();
std::span<const CommandSpec> ZsetCommands();
std::span<const CommandSpec> ZsetAddCommands();
std::span<const CommandSpec> ZsetRangeCommands();
std::span<const CommandSpec> ZsetAlgebraCommands();
std::span<const CommandSpec> ZsetPopCommands();
std::span<const CommandSpec> GeoCommands();
std::span<const CommandSpec> GeoSearchCommands();

/// Every family of the server, those with handlers included. A new file of commands is listed here.
std::vector<std::span<const CommandSpec>> CommandFamilies();

}  // namespace orrery::commands

#include "commands/command_families.h"

namespace orrery::commands {

std::vector<std::span<const CommandSpec>> CommandFamilies() {
  return {
      ConnectionCommands(), ServerCommands(), ClusterCommands(),  KeyspaceCommands(),
      StringCommands(),     LcsCommands(),    BitmapCommands(),   BitfieldCommands(),
      KeyCommands(),        DumpCommands(),     DynamoCommands(), HashCommands(),
      HyperLogLogCommands(),
      SetCommands(),        SetAlgebraCommands(), SortCommands(),
      ListCommands(),       ListElementCommands(), ListBlockingCommands(),
      ZsetCommands(),       ZsetAddCommands(), ZsetRangeCommands(),
      ZsetAlgebraCommands(), ZsetPopCommands(), GeoCommands(), GeoSearchCommands(),
  };
}

}  // namespace orrery::commands

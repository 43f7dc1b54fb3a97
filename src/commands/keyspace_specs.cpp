#include "commands/command_families.h"
#include "commands/spec_builder.h"

namespace orrery::commands {
namespace {

constexpr CommandSpec kSpecs[] = {
    AskingCluster(NodeCommand("dbsize", 1, kReadonly | kFast, "server", "1.0.0", "O(N) with N nodes",
                              "The number of keys in the database, over the whole cluster")),
    AskingCluster(NodeCommand("flushall", -1, kWrite, "server", "1.0.0", "O(N) with N slots that hold keys",
                              "Removes all keys of all databases")),
    AskingCluster(NodeCommand("flushdb", -1, kWrite, "server", "1.0.0", "O(N) with N slots that hold keys",
                              "Removes all keys of this database")),
    AskingCluster(NodeCommand("keys", 2, kReadonly, "generic", "1.0.0", "O(N) with N keys in the database",
                              "All keys that match a pattern")),
    AskingCluster(NodeCommand("randomkey", 1, kReadonly, "generic", "1.0.0", "O(N) with N nodes",
                              "A key, chosen by chance")),
    AskingCluster(NodeCommand("scan", -2, kReadonly, "generic", "2.8.0",
                              "O(1) for a call, O(N) for all N keys of the database",
                              "Some of the keys, and where to go on")),
};

}  // namespace

std::span<const CommandSpec> KeyspaceCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

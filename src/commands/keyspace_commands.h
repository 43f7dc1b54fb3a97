#pragma once

#include "orrery/commands/dispatcher.h"

namespace orrery::commands {

/// Starts a command of Spread::kCluster: SCAN, KEYS, DBSIZE, RANDOMKEY, FLUSHDB, FLUSHALL, CLUSTER
/// COUNTKEYSINSLOT and GETKEYSINSLOT. Contract as of Dispatcher::Dispatch.
void RunKeyspaceCommand(DispatchEnvironment* environment, const CommandSpec& spec,
                        const SessionOptions& session, Args args, Dispatcher::Done done);

}  // namespace orrery::commands

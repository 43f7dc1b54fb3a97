#pragma once

#include "orrery/commands/command_table.h"
#include "orrery/commands/dispatcher.h"
#include "orrery/replication/request.h"

namespace orrery::commands {

/// What the request needs of a quorum. REQUIRES: its arguments are set.
replication::Traits TraitsOfRequest(const CommandSpec& spec, const replication::Request& request);

/// The whole command as one request to one slot.
replication::Request WholeRequest(const CommandSpec& spec, const SessionOptions& session, SlotId slot,
                                  Args args);

/// Copies R, W and TIMEOUT of DGET, DPUT and DDEL into the request. What is malformed is left to the command
/// itself, which answers the error.
void ApplyQuorumOptions(const CommandSpec& spec, replication::Request* request);

}  // namespace orrery::commands

#pragma once

#include "orrery/commands/command_table.h"
#include "orrery/resp/reply_writer.h"

namespace orrery::commands {

/// COMMAND and its subcommands (https://redis.io/commands/command/), shaped as Redis 7.0 shapes them, so that
/// client libraries find the keys of commands and redis-cli shows its hints. REQUIRES: args were resolved to
/// COMMAND or one of its subcommands. Writes exactly one reply. Pure; any thread.
void RunCommandCommand(Args args, resp::ReplyWriter* reply);

/// The reply of "CLIENT HELP" and its like: one line for each subcommand and its arguments, one for what it
/// does.
void WriteHelp(const CommandSpec& container, resp::ReplyWriter* reply);

}  // namespace orrery::commands

#pragma once

#include "orrery/commands/command.h"
#include "orrery/resp/reply_writer.h"

namespace orrery::commands {

/// The two descriptions of a command that COMMAND gives; of subcommands, too. parent: nullptr for a command.

/// An element of COMMAND INFO: ten fields.
void WriteCommandInfo(const CommandSpec& spec, const CommandSpec* parent, resp::ReplyWriter* reply);
/// A name and its value in the map of COMMAND DOCS.
void WriteCommandDocs(const CommandSpec& spec, const CommandSpec* parent, resp::ReplyWriter* reply);

}  // namespace orrery::commands

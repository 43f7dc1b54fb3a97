#pragma once

#include "orrery/commands/command.h"

namespace orrery::commands {

/// What DEBUG asks of keys, as commands of their own, which clients cannot send: the server checks first whether DEBUG is
/// allowed. Their names are theirs alone; the arguments are keys. Static data.

/// For each key 16 hexadecimal digits that are the same for values that look the same, whatever their keys are called;
/// zeros if there is no key.
const CommandSpec& DigestValueCommand();
/// All keys of the database, their names included, in one such digest.
const CommandSpec& DigestCommand();
/// Of one key, in a line: encoding, and bytes of its DUMP.
const CommandSpec& DescribeObjectCommand();

}  // namespace orrery::commands

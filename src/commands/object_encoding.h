#pragma once

#include <string_view>

#include "orrery/commands/command.h"
#include "orrery/types/string_type.h"

namespace orrery::commands {

/// What OBJECT ENCODING says of a key that exists: the name that Redis 7.0 would use for such a value with
/// its default settings (https://redis.io/commands/object-encoding/). Here every type is stored in one way.
std::string_view EncodingOf(CommandContext& context, const types::StringKey& key);

}  // namespace orrery::commands

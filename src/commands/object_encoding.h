#pragma once

#include <string_view>

#include "orrery/commands/command.h"
#include "orrery/commands/encoding_limits.h"
#include "orrery/types/string_type.h"

namespace orrery::commands {

/// What OBJECT ENCODING says of a key that exists: the name that Redis 7.0 would use for such a value, made at once, with
/// these limits (https://redis.io/commands/object-encoding/). Here every type is stored in one way. `name` is the key.
std::string_view EncodingOf(CommandContext& context, const types::StringKey& key, std::string_view name,
                            const EncodingLimits& limits);

}  // namespace orrery::commands

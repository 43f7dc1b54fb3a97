#pragma once

#include <string_view>

namespace orrery::commands {

/// Redis's patterns (https://redis.io/commands/keys/): '*' any bytes, '?' one byte, [ae], [a-e], [^e] one of
/// a class,
/// '\' the next byte as it is. Takes time in the order of pattern times text, whatever the pattern. Pure; any
/// thread.
bool GlobMatches(std::string_view pattern, std::string_view text);
/// ASCII letters match either case.
bool GlobMatchesIgnoringCase(std::string_view pattern, std::string_view text);

}  // namespace orrery::commands

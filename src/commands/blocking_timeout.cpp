#include "commands/blocking_timeout.h"

#include <cmath>

#include "orrery/base/numbers.h"

namespace orrery::commands {

BlockingTimeout ParseBlockingTimeout(std::string_view text) {
  // Timers count in microseconds: what lies beyond is for ever all the same.
  constexpr long double kLongestMs = 1e15L;
  constexpr long double kGreatestMs = 9.2233720368547758e18L;
  const auto seconds = ParseLongDouble(text);
  if (!seconds) return {0, "ERR timeout is not a float or out of range"};
  const long double ms = std::ceil(*seconds * 1000);
  if (ms < 0 || ms > kGreatestMs) return {0, "ERR timeout is negative"};
  return {ms > kLongestMs ? 0 : static_cast<uint64_t>(ms), {}};
}

bool IsTimeout(CommandContext& context, size_t arg) {
  const std::string_view error = ParseBlockingTimeout(context.arg(arg)).error;
  return error.empty() || (context.reply.Error(error), false);
}

}  // namespace orrery::commands

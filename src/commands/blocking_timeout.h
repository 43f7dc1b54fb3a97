#pragma once

#include <cstdint>
#include <string_view>

#include "orrery/commands/command.h"

namespace orrery::commands {

/// The timeout of a blocking command: seconds with fractions, 0 for ever.
struct BlockingTimeout {
  uint64_t ms = 0;
  std::string_view error;  ///< Redis's; empty: there is none
};

/// Rounded up to milliseconds, so that what is above zero never becomes for ever. What does not fit Redis
/// takes for negative.
BlockingTimeout ParseBlockingTimeout(std::string_view text);

/// Whether the argument is a timeout; if not, the reply says so.
bool IsTimeout(CommandContext& context, size_t arg);

}  // namespace orrery::commands

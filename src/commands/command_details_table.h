#pragma once

#include <span>

#include "commands/command_details.h"

namespace orrery::commands {

/// Every row; DetailsOf finds one.
std::span<const CommandDetails> AllCommandDetails();

}  // namespace orrery::commands

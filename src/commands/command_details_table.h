#pragma once

#include <span>
#include <vector>

#include "commands/command_details.h"

namespace orrery::commands {

/// Every row; DetailsOf finds one.
std::vector<std::span<const CommandDetails>> AllCommandDetails();
/// Of them, those of hashes, sets and lists.
std::span<const CommandDetails> CollectionDetails();
/// Of sorted sets and geo.
std::span<const CommandDetails> ZsetDetails();

}  // namespace orrery::commands

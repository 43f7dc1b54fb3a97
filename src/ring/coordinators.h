#pragma once

#include <cstdint>
#include <vector>

#include "dealing.h"

namespace orrery::ring {

/// For each slot, which of its homes (0 .. homes_per_slot-1 in the dealing) is preferred to coordinate it:
/// the one drawn most to the slot's region, unless that would exceed a bound. Choosing among homes moves no
/// data.
std::vector<uint32_t> ChooseCoordinators(const TokenOrder& order, const Dealing& dealing);

}  // namespace orrery::ring

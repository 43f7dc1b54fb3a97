#pragma once

#include <optional>
#include <string>

#include "orrery/runtime/random.h"
#include "simulation/history.h"

namespace orrery::simulation {

/// Feeds the events to a fresh replica, each actor's in its order and the actors interleaved at random. What
/// is not as expected in the end, or nothing.
std::optional<std::string> ReplayInRandomOrder(const History& history, SlotId slot, const Expected& expected,
                                               runtime::Random* random);

}  // namespace orrery::simulation

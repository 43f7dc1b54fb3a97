#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "orrery/ring/ring.h"

namespace orrery::simulation {

/// ring::Ring::Build, remembered: rings take milliseconds, and the clusters of a thousand seeds have the same
/// few.
std::shared_ptr<const ring::Ring> SharedRing(const std::vector<ring::RingMember>& members, uint8_t n);

/// Stands for ring::ChooseTokenSeed, which takes tens of milliseconds and gives each cluster a ring of its
/// own. As there, the choice depends on whom the newcomer knows, so that who chooses twice may choose
/// differently.
uint32_t SharedTokenSeed(const std::vector<ring::RingMember>& members, const ring::RingMember& newcomer,
                         uint8_t n);

}  // namespace orrery::simulation

#pragma once

#include <cstdint>

namespace orrery::runtime {

/// The versions of the peer protocol that a node speaks. Two nodes use the highest that both do; without one they refuse
/// each other and say so.
struct PeerVersions {
  uint8_t min = 2;
  uint8_t max = 2;
};

}  // namespace orrery::runtime

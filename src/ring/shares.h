#pragma once

#include <cstdint>
#include <vector>

#include "orrery/ring/ring.h"

namespace orrery::ring {

/// No member holds more than this many times its fair share: a load efficiency of 1/1.05 = 0.952.
inline constexpr double kLoadSlack = 1.05;

/// What one member should get, as probabilities for any one slot, and the most it may get, in slots.
struct Share {
  double home = 0;         ///< to be a home of the slot
  double coordinator = 0;  ///< to coordinate it
  uint32_t home_max = 0;   ///< bound on its homes
  uint32_t coordinator_max = 0;
};

/// The zones of a member list, numbered; a member without a zone is a zone of its own.
struct Zones {
  std::vector<uint32_t> of;  ///< by member
  uint32_t count = 0;
  std::vector<uint64_t> weight;  ///< by zone

  static Zones Of(const std::vector<RingMember>& members);
};

/// In proportion to weight, as far as a slot's homes can be distinct nodes in as many zones as possible:
/// nobody gets more than every slot; if there are at least homes_per_slot zones, no zone gets more than one
/// home per slot, and if there are fewer, none gets less. REQUIRES: weights are not zero, 1 <= homes_per_slot
/// <= members.size().
std::vector<Share> ComputeShares(const std::vector<RingMember>& members, const Zones& zones,
                                 int homes_per_slot);

}  // namespace orrery::ring

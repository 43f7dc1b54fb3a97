#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "orrery/ring/ring.h"

namespace orrery::simulation {

struct RingScale {
  double efficiency_homes = 0;        ///< mean over maximum of the slots that a node holds
  double efficiency_coordinated = 0;  ///< of those that it coordinates
  double join_moves = 0;              ///< homes that move when one joins, over the least possible
  double leave_moves = 0;             ///< when one leaves
};

/// A cluster that grows node by node, each choosing its tokens as a joining node does, but knowing all except
/// the latest 64th of the others, as one does that joins together with some. N = 3. Deterministic.
class GrowingRing {
 public:
  explicit GrowingRing(uint64_t seed) : seed_(seed) {}

  void GrowTo(size_t count);
  /// Also looks at some joins and leaves, which are undone.
  RingScale Measure(size_t trials) const;

 private:
  std::vector<ring::RingMember> Newcomers(size_t count) const;

  uint64_t seed_;
  std::vector<ring::RingMember> members_;
};

}  // namespace orrery::simulation

#pragma once

#include <vector>

#include "orrery/base/node_id.h"
#include "orrery/base/slot.h"
#include "orrery/ring/ring.h"

namespace orrery::ring {

/// One home of one slot that moves. The arriving node copies from the departing one. One side is zero where
/// the number of homes grows or shrinks.
struct HomeChange {
  SlotId slot = 0;
  NodeId departing;
  NodeId arriving;

  bool operator==(const HomeChange&) const = default;
};

struct CoordinatorChange {
  SlotId slot = 0;
  NodeId before;
  NodeId after;

  bool operator==(const CoordinatorChange&) const = default;
};

/// What turns one ring into another, by slot. Value type, any thread.
struct RingDiff {
  std::vector<HomeChange> homes;
  std::vector<CoordinatorChange> coordinators;

  /// The i-th home of a slot that arrives replaces the i-th that departs, each in the order of its own ring:
  /// every node that knows both rings knows the same pairs.
  static RingDiff Between(const Ring& before, const Ring& after);
};

}  // namespace orrery::ring

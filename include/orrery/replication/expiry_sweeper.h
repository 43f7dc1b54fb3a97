#pragma once

#include <cstdint>

#include "orrery/replication/coordinator.h"
#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// Purges expired rows of the slots that this node coordinates, by ordinary events, so that replicas agree. A purge runs
/// with R = N: a coordinator that has not heard of a later EXPIRE or SET must not remove what they kept alive.
/// Rows are hidden at their instant whether purged or not; this only gives the space back. One loop.
class ExpirySweeper {
 public:
  ExpirySweeper(ShardContext* context, Coordinator* coordinator) : context_(*context), coordinator_(*coordinator) {}

  /// Looks at a few slots, so that a round over all takes a second while few have rows, some seconds when all do.
  void Tick();
  /// For tests: whether it purges.
  void SetActive(bool active) { active_ = active; }

 private:
  bool HasDue(SlotId slot, uint64_t now_ms) const;
  void Purge(SlotId slot);

  ShardContext& context_;
  Coordinator& coordinator_;
  SlotId next_ = 0;
  bool active_ = true;
};

}  // namespace orrery::replication

#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "orrery/base/slot.h"
#include "orrery/replication/ended_lives.h"

namespace orrery::replication {

/// Promises to take no further event of lives that are about to be closed: what a member says of them, it
/// says of all the time until the round is over (docs/closing.md). In memory: a process that ends takes with
/// it what was on its way to it. One loop.
class ClosingSeals {
 public:
  /// So many ticks of the loop a seal stands whose round was neither ended nor given up. Ticks, not time: a
  /// process that was stopped has not read its links meanwhile.
  static constexpr unsigned kTicks = 600;

  /// Replaces an earlier seal of the same asker.
  void Seal(SlotId slot, NodeId asker, uint64_t round, const EndedLives& lives);
  bool Stands(SlotId slot, NodeId asker, uint64_t round) const;
  void Lift(SlotId slot, NodeId asker, uint64_t round);
  /// The slot is not what the seals were about.
  void Drop(SlotId slot) { seals_.erase(slot); }
  bool IsSealed(SlotId slot) const { return !seals_.empty() && seals_.contains(slot); }
  /// Whether the event is one of a sealed life, beyond what that had.
  bool Forbids(SlotId slot, const causality::Dot& dot) const;
  /// Whether the clock, of an image, covers such an event.
  bool Forbids(SlotId slot, const causality::SlotClock& clock) const;
  void Tick();
  size_t size() const { return seals_.size(); }

 private:
  struct One {
    NodeId asker;
    uint64_t round = 0;
    EndedLives lives;
    unsigned ticks = 0;
  };
  std::map<SlotId, std::vector<One>> seals_;
};

}  // namespace orrery::replication

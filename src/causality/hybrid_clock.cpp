#include "orrery/causality/hybrid_clock.h"

#include <algorithm>

namespace orrery::causality {

HybridTime HybridClock::Next(uint64_t wall_ms) {
  last_ = std::max(last_ + 1, wall_ms << kLogicalBits);
  return last_;
}

Status HybridClock::Observe(HybridTime remote, uint64_t wall_ms) {
  if (PhysicalMs(remote) > wall_ms + max_ahead_ms_) {
    return Status::Refused("remote clock is " + std::to_string(PhysicalMs(remote) - wall_ms) + " ms ahead");
  }
  last_ = std::max(last_, remote);
  return Status::Ok();
}

void HybridClock::ObserveStored(HybridTime stored) { last_ = std::max(last_, stored); }

}  // namespace orrery::causality

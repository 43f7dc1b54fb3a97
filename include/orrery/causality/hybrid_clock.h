#pragma once

#include <algorithm>
#include <cstdint>

#include "orrery/base/status.h"

namespace orrery::causality {

/// Milliseconds since the epoch in the upper 48 bits, a logical counter in the lower 16 (Kulkarni et al., "Logical
/// Physical Clocks", 2014). Orders concurrent values; never decides what was seen (dots do).
using HybridTime = uint64_t;

inline constexpr int kLogicalBits = 16;
constexpr uint64_t PhysicalMs(HybridTime time) { return time >> kLogicalBits; }

/// One per loop. Pure: the wall clock is an argument.
class HybridClock {
 public:
  /// A remote time more than this ahead of our wall clock is refused.
  explicit HybridClock(uint64_t max_ahead_ms) : max_ahead_ms_(max_ahead_ms) {}

  /// Greater than every time given or observed before.
  HybridTime Next(uint64_t wall_ms);
  /// Everything given or observed is at or below this.
  HybridTime Last() const { return last_; }
  /// What a frame to a peer carries: at least Last(), and not behind our wall clock, so that its age can be told.
  HybridTime Read(uint64_t wall_ms) const { return std::max(last_, wall_ms << kLogicalBits); }
  /// Takes a peer's time into account. kRefused if it is too far ahead: the clock stays as it was, tell the operator.
  [[nodiscard]] Status Observe(HybridTime remote, uint64_t wall_ms);
  /// Times found in our own store are facts, however far ahead.
  void ObserveStored(HybridTime stored);

 private:
  uint64_t max_ahead_ms_;
  HybridTime last_ = 0;
};

}  // namespace orrery::causality

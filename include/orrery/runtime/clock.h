#pragma once

#include <cstdint>

namespace orrery::runtime {

/// The only source of time. Production: the system's clocks; simulation: the virtual clock, with skew and jumps.
/// One per loop, read on the loop's thread. Decisions that order data use causality::HybridClock on top of this.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds since the Unix epoch; may jump and differ between nodes.
  virtual uint64_t WallMs() const = 0;
  /// Microseconds since an arbitrary start; never goes back. For timeouts and measured latencies.
  virtual uint64_t MonotonicUs() const = 0;
};

}  // namespace orrery::runtime

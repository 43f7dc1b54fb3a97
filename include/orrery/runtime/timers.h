#pragma once

#include <cstdint>
#include <functional>

namespace orrery::runtime {

using TimerId = uint64_t;
inline constexpr TimerId kNoTimer = 0;

/// One-shot timers on the owner's loop. Callbacks run on the loop's thread, never inside After() or Cancel().
class Timers {
 public:
  virtual ~Timers() = default;
  /// Runs callback once, delay_us or more from now. Never returns kNoTimer.
  virtual TimerId After(uint64_t delay_us, std::function<void()> callback) = 0;
  /// Forgets the timer; harmless when it has fired, was cancelled or is kNoTimer.
  virtual void Cancel(TimerId id) = 0;
};

}  // namespace orrery::runtime

#pragma once

#include <cstdint>

#include "orrery/storage/transaction.h"

namespace orrery::types {

/// Choices by chance inside one command (HRANDFIELD, SPOP): a sequence that is given by the event's dot and time, so
/// that a simulation repeats it (splitmix64). Not for secrets. Lives on a command's stack.
class Chance {
 public:
  explicit Chance(uint64_t seed) : state_(seed) {}
  explicit Chance(const storage::Transaction& transaction)
      : state_(transaction.context().hlc ^ (transaction.context().dot.counter << 48)) {}

  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// REQUIRES: n > 0.
  uint64_t Below(uint64_t n) { return Next() % n; }

 private:
  uint64_t state_;
};

}  // namespace orrery::types

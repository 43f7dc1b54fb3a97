#pragma once

#include <algorithm>
#include <cstdint>

#include "orrery/runtime/random.h"

namespace orrery::runtime {

/// Waiting times that double from a minimum to a maximum, each drawn from its upper half so that many nodes
/// that lost the same peer do not return all at once.
class Backoff {
 public:
  Backoff(uint64_t min_us, uint64_t max_us) : min_us_(min_us), max_us_(max_us), next_us_(min_us) {}

  uint64_t NextUs(Random& random) {
    const uint64_t ceiling = next_us_;
    next_us_ = std::min(next_us_ * 2, max_us_);
    return ceiling - random.Below(ceiling / 2 + 1);
  }
  void Reset() { next_us_ = min_us_; }

 private:
  uint64_t min_us_;
  uint64_t max_us_;
  uint64_t next_us_;
};

}  // namespace orrery::runtime

#pragma once

#include <cstdint>

namespace orrery::runtime {

/// The only source of chance. Production: seeded from the system; simulation: from the run's seed.
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Next64() = 0;
  /// Uniform in [0, bound). REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound);
  /// Uniform in [0, 1).
  double Unit();
};

/// xoshiro256** seeded by splitmix64: small, fast, the same on every machine (Blackman and Vigna, 2018).
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed);
  uint64_t Next64() override;

 private:
  uint64_t state_[4];
};

/// A seed from the operating system.
uint64_t SystemSeed();

}  // namespace orrery::runtime

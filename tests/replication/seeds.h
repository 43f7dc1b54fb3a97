#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace orrery::replication {

/// The seed of a random test: ORRERY_TEST_SEED if it is set, else one of the day. Printed, so that a run can
/// be repeated.
inline uint64_t TestSeed() {
  const char* const wanted = std::getenv("ORRERY_TEST_SEED");
  const uint64_t seed = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : std::random_device{}();
  std::printf("ORRERY_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace orrery::replication

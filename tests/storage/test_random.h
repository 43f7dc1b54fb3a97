#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace orrery::storage {

/// A seeded generator that names its seed in the test's output; ORRERY_TEST_SEED repeats a run.
class TestRandom {
 public:
  TestRandom();

  /// 0 .. n-1.
  uint64_t Below(uint64_t n) { return engine_() % n; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  /// Up to longest bytes of the alphabet.
  std::string Bytes(size_t longest, std::string_view alphabet);

 private:
  std::mt19937_64 engine_;
};

}  // namespace orrery::storage

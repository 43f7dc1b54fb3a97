#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "fuzz/fuzz_target.h"

namespace orrery::fuzz {

/// Makes inputs out of a target's seeds: joins, cuts, repeats and splices them, flips bits, inserts the
/// format's tokens, and replaces decimal numbers by awkward ones. Input number n of a seed is always the
/// same.
class Mutator {
 public:
  Mutator(const Seeds* seeds, uint64_t seed) : seeds_(seeds), seed_(seed) {}

  std::string Input(uint64_t n);

 private:
  size_t Below(size_t bound) { return static_cast<size_t>(random_() % bound); }
  const std::string& AnySeed() { return seeds_->inputs[Below(seeds_->inputs.size())]; }

  void Mutate(std::string* input);
  void ChangeByte(std::string* input);
  void InsertToken(std::string* input);
  void ReplaceNumber(std::string* input);
  void EraseRange(std::string* input);
  void RepeatRange(std::string* input);
  void Splice(std::string* input);

  const Seeds* seeds_;
  uint64_t seed_;
  std::mt19937_64 random_;
};

}  // namespace orrery::fuzz

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// A fuzz target is one source file that defines the two functions below, and one line in this folder's
/// CMakeLists.txt: orrery_fuzz(NAME SOURCES ... DEPS ...). It is built with fuzz_driver.cpp, which mutates
/// the seeds from a seeded generator (any compiler; ctest runs it briefly), and, with clang and
/// ORRERY_FUZZ=ON, also with libFuzzer.

/// The code under test on one input. Aborts (ORRERY_CHECK) if an invariant does not hold. The same input must
/// always do the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace orrery::fuzz {

/// What mutation starts from, since random bytes hardly ever get past the first check of a format.
struct Seeds {
  std::vector<std::string> inputs;  ///< valid inputs, not empty
  std::vector<std::string> tokens;  ///< pieces that mean something in the format
};

Seeds MakeSeeds();

}  // namespace orrery::fuzz

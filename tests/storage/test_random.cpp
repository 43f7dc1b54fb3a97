#include "storage/test_random.h"

#include <cstdio>
#include <cstdlib>

namespace orrery::storage {

TestRandom::TestRandom() {
  const char* const wanted = std::getenv("ORRERY_TEST_SEED");
  const uint64_t seed = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : std::random_device{}();
  std::printf("ORRERY_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  engine_.seed(seed);
}

std::string TestRandom::Bytes(size_t longest, std::string_view alphabet) {
  std::string bytes(Below(longest + 1), '\0');
  for (char& c : bytes) c = alphabet[Below(alphabet.size())];
  return bytes;
}

}  // namespace orrery::storage

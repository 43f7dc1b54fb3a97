#pragma once

#include <cstdint>
#include <string_view>

namespace orrery {

/// XXH3, 64 bits, the same on every machine. For digests, ring tokens and row order; not for secrets.
uint64_t Hash64(std::string_view bytes, uint64_t seed = 0);

}  // namespace orrery

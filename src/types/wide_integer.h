#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace orrery::types {

/// Sums of increments: each addend is an int64_t, so no number of them overflows this.
__extension__ using Wide = __int128;

inline int64_t ClampToInt64(Wide value) {
  constexpr Wide kMin = std::numeric_limits<int64_t>::min();
  constexpr Wide kMax = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(value < kMin ? kMin : value > kMax ? kMax : value);
}

/// The decimal text of an increment's sum.
std::string WideToText(Wide value);
/// What WideToText wrote; 0 for the empty text, which is where a sum starts.
Wide WideFromText(std::string_view text);

}  // namespace orrery::types

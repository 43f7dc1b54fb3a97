#pragma once

#include <cstddef>
#include <cstdint>

namespace orrery {

inline constexpr size_t kCacheLineBytes = 64;

/// Asks for memory before it is used, so that a walk over many cold objects does not wait for each. Only a hint: null and
/// stale pointers do no harm.
inline void PrefetchBytes(const void* begin, size_t bytes) {
  // To ask for a page that does not exist takes a walk through the page tables each time.
  if (begin == nullptr) return;
  const auto first = reinterpret_cast<uintptr_t>(begin);
  for (size_t at = 0; at < bytes; at += kCacheLineBytes) __builtin_prefetch(reinterpret_cast<const void*>(first + at));
  // GCC takes a function that only prefetches for one without effects, and leaves out the calls of it.
  asm volatile("");
}

}  // namespace orrery

#pragma once

#include <algorithm>
#include <cstddef>

namespace orrery {

/// Asks for an object's memory before it is used, so that a walk over many cold objects does not wait for each. Only a
/// hint: null and stale pointers do no harm.
template <typename T>
void Prefetch(const T* object) {
  constexpr size_t kLineBytes = 64;
  constexpr size_t kLinesMax = 12;
  const char* const first = reinterpret_cast<const char*>(object);
  for (size_t at = 0; at < std::min(sizeof(T), kLinesMax * kLineBytes); at += kLineBytes) __builtin_prefetch(first + at);
}

}  // namespace orrery

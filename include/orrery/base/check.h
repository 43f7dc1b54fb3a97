#pragma once

#include <cstdio>
#include <cstdlib>

namespace orrery {

/// Prints the broken condition and aborts. Kept in production: a programmer's error must not spread into data.
[[noreturn]] inline void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "orrery: check failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace orrery

/// Holds in every build. For programmer errors only; operating errors are a Status.
#define ORRERY_CHECK(condition) \
  (static_cast<bool>(condition) ? void() : ::orrery::CheckFailed(#condition, __FILE__, __LINE__))

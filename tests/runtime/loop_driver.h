#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "orrery/runtime/uv/loop.h"

namespace orrery::runtime {

/// Turns the loop until the condition holds. False when it does not hold for so long that something hangs.
inline bool RunUntil(UvLoop& loop, const std::function<bool()>& condition) {
  bool hangs = false;
  const TimerId watchdog = loop.After(30'000'000, [&] { hangs = true; });
  while (!condition() && !hangs) loop.RunTurn();
  loop.Cancel(watchdog);
  return !hangs;
}

#define ASSERT_REACHED(loop, condition) \
  ASSERT_TRUE(::orrery::runtime::RunUntil((loop), [&] { return (condition); })) << "never: " #condition

}  // namespace orrery::runtime

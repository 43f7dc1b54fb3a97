#include "orrery/runtime/side_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace orrery::runtime {
namespace {

TEST(SideThreadTest, RunsEachStepElsewhereAndWaitsForIt) {
  SideThread side;
  std::thread::id first;
  for (int i = 0; i < 1000; ++i) {
    int done = 0;
    std::thread::id ran_on;
    side.Run(
        [&] {
          done = i;
          ran_on = std::this_thread::get_id();
        },
        1'000'000, [] {});
    EXPECT_EQ(done, i);
    EXPECT_NE(ran_on, std::this_thread::get_id());
    if (i == 0) first = ran_on;
    EXPECT_EQ(ran_on, first);
  }
}

TEST(SideThreadTest, TheWaitingThreadDoesSomethingElseMeanwhile) {
  SideThread side;
  std::atomic<int> signs = 0;
  std::thread::id signed_on;
  side.Run(
      [&] {
        while (signs < 5) std::this_thread::yield();  // for ever, if nothing were done meanwhile
      },
      100,
      [&] {
        signed_on = std::this_thread::get_id();
        ++signs;
      });
  EXPECT_GE(signs, 5);
  EXPECT_EQ(signed_on, std::this_thread::get_id());
}

TEST(SideThreadTest, EndsWithoutEverHavingBeenUsed) {
  SideThread side;
}

}  // namespace
}  // namespace orrery::runtime

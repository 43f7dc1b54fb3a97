#include "orrery/replication/frame_delay.h"

#include <gtest/gtest.h>

namespace orrery::replication {
namespace {

// Clocks that are far apart, each way.
constexpr uint64_t kTheirs = 1'000'000, kOurs = 5'000;

TEST(FrameDelayTest, IsMeasuredByTheQuickestFrame) {
  FrameDelay delay;
  EXPECT_EQ(delay.LateMs(kTheirs, kOurs + 20), 0u);
  EXPECT_EQ(delay.LateMs(kTheirs + 100, kOurs + 105), 0u) << "a quicker one";
  EXPECT_EQ(delay.LateMs(kTheirs + 200, kOurs + 205), 0u);
  EXPECT_EQ(delay.LateMs(kTheirs + 300, kOurs + 3305), 2999u) << "3 s, less what the clocks may drift";
}

TEST(FrameDelayTest, ShowsHowLongWeWereStopped) {
  FrameDelay delay;
  for (uint64_t ms = 0; ms < 1000; ms += 100) EXPECT_EQ(delay.LateMs(kTheirs + ms, kOurs + ms), 0u);
  // All that they sent while we stood still for a minute comes at once; the last of it is as punctual as
  // ever.
  for (uint64_t ms = 1000; ms <= 61'000; ms += 100) {
    const uint64_t late = delay.LateMs(kTheirs + ms, kOurs + 61'000);
    EXPECT_NEAR(static_cast<double>(late), static_cast<double>(61'000 - ms), 31) << ms;
  }
}

TEST(FrameDelayTest, FollowsClocksThatRunApart) {
  FrameDelay delay;
  uint64_t late_max = 0;
  for (uint64_t ms = 0; ms < 3'600'000; ms += 100)
    late_max = std::max(late_max, delay.LateMs(kTheirs + ms, kOurs + ms + ms / 10'000));
  EXPECT_LE(late_max, 5u);
  // After an hour in which nothing came.
  EXPECT_LE(delay.LateMs(kTheirs + 7'200'000, kOurs + 7'200'000 + 720), 5u);
}

TEST(FrameDelayTest, GetsUsedToALongerWay) {
  FrameDelay delay;
  EXPECT_EQ(delay.LateMs(kTheirs, kOurs), 0u);
  uint64_t late = 0;
  for (uint64_t ms = 100; ms < 30'000; ms += 100) late = delay.LateMs(kTheirs + ms, kOurs + ms + 400);
  EXPECT_EQ(late, 0u);
}

}  // namespace
}  // namespace orrery::replication

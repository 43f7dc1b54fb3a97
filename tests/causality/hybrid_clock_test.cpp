#include "orrery/causality/hybrid_clock.h"

#include <gtest/gtest.h>

namespace orrery::causality {
namespace {

TEST(HybridClockTest, GrowsThoughTheWallClockStandsOrGoesBack) {
  HybridClock clock(1000);
  const HybridTime first = clock.Next(500);
  const HybridTime second = clock.Next(500);
  const HybridTime third = clock.Next(100);
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_EQ(PhysicalMs(third), 500u);
}

TEST(HybridClockTest, FollowsPeersButRefusesOneFarAhead) {
  HybridClock clock(1000);
  const HybridTime near = HybridTime{1400} << kLogicalBits;
  EXPECT_TRUE(clock.Observe(near, 500).ok());
  EXPECT_GT(clock.Next(500), near);
  EXPECT_EQ(clock.Observe(HybridTime{2000} << kLogicalBits, 500).code(), StatusCode::kRefused);
  EXPECT_LT(PhysicalMs(clock.Next(500)), 2000u);
}

}  // namespace
}  // namespace orrery::causality

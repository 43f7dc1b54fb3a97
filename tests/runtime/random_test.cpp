#include "orrery/runtime/random.h"

#include <gtest/gtest.h>

#include <set>

#include "runtime/backoff.h"

namespace orrery::runtime {
namespace {

TEST(SeededRandomTest, RepeatsItselfFromTheSameSeed) {
  SeededRandom a(7), b(7), c(8);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const uint64_t drawn = a.Next64();
    EXPECT_EQ(drawn, b.Next64());
    differs |= drawn != c.Next64();
  }
  EXPECT_TRUE(differs);
}

// From the authors' C code with the state that splitmix64 makes of the seed 0.
TEST(SeededRandomTest, IsXoshiro256StarStar) {
  SeededRandom random(0);
  EXPECT_EQ(random.Next64(), 0x99ec5f36cb75f2b4);
  EXPECT_EQ(random.Next64(), 0xbf6e1f784956452a);
  EXPECT_EQ(random.Next64(), 0x1a5f849d4933e6e0);
}

TEST(SeededRandomTest, BelowStaysInBoundsAndReachesAll) {
  SeededRandom random(1);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.Below(10));
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_EQ(*seen.rbegin(), 9u);
  EXPECT_EQ(random.Below(1), 0u);
}

TEST(SeededRandomTest, UnitIsHalfOpenAndCentred) {
  SeededRandom random(2);
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const double drawn = random.Unit();
    ASSERT_GE(drawn, 0.0);
    ASSERT_LT(drawn, 1.0);
    sum += drawn;
  }
  EXPECT_NEAR(sum / 10000, 0.5, 0.02);
}

TEST(BackoffTest, DoublesUpToTheMaximumWithJitterInTheUpperHalf) {
  SeededRandom random(3);
  Backoff backoff(50, 1000);
  for (const uint64_t ceiling : {50, 100, 200, 400, 800, 1000, 1000}) {
    const uint64_t drawn = backoff.NextUs(random);
    EXPECT_LE(drawn, ceiling);
    EXPECT_GE(drawn, ceiling / 2);
  }
  backoff.Reset();
  EXPECT_LE(backoff.NextUs(random), 50u);
}

}  // namespace
}  // namespace orrery::runtime

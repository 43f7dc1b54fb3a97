#include "ring/portable_math.h"

#include <gtest/gtest.h>

#include <cmath>

namespace orrery::ring {
namespace {

TEST(PortableMathTest, LnAgreesWithTheLibrary) {
  for (double x : {1e-12, 3e-5, 0.1, 0.5, 0.999, 1.0, 1.001, 1.5, 2.0, 77.7, 1e9, 1e300}) {
    EXPECT_NEAR(PortableLn(x), std::log(x), 1e-13 * (1 + std::abs(std::log(x)))) << x;
  }
}

}  // namespace
}  // namespace orrery::ring

#include <gtest/gtest.h>

#include <string>

#include "orrery/base/marks.h"
#include "simulation/run.h"

namespace orrery::simulation {
namespace {

void RunSeeds(uint64_t first, uint64_t last, const std::set<std::string>* faults = nullptr) {
  for (uint64_t seed = first; seed <= last; ++seed) {
    Options options = DrawOptions(seed);
    if (faults != nullptr) {
      options.faults = *faults;
      FitToFaults(&options);
    }
    const RunResult result = RunSeed(options);
    ASSERT_TRUE(result.ok()) << "seed " << seed << ": " << result.failure;
  }
}

TEST(SeedsTest, EveryPromiseIsKeptUnderDrawnFaults) {
  RunSeeds(1, 300);
}

TEST(SeedsTest, EveryPromiseIsKeptUnderAllFaultsTogether) {
  RunSeeds(301, 400, &AllFaults());
}

TEST(SeedsTest, WithoutFaultsReadsAreFresh) {
  const std::set<std::string> none;
  RunSeeds(401, 460, &none);
}

TEST(SeedsTest, SecondRunOfASeedIsTheFirstAgain) {
  for (uint64_t seed = 501; seed <= 540; ++seed) {
    const Options options = DrawOptions(seed);
    const RunResult first = RunSeed(options);
    const RunResult second = RunSeed(options);
    EXPECT_EQ(first.unseed, second.unseed) << "seed " << seed;
    EXPECT_EQ(first.digest, second.digest) << "seed " << seed;
    EXPECT_EQ(first.steps, second.steps) << "seed " << seed;
  }
}

}  // namespace
}  // namespace orrery::simulation

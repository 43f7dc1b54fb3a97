#include "orrery/replication/reset_rule.h"

#include <gtest/gtest.h>

#include <set>

namespace orrery::replication {
namespace {

constexpr ResetStep kAllSteps[] = {ResetStep::kNow,     ResetStep::kWait,    ResetStep::kLeave,
                                   ResetStep::kBeQuiet, ResetStep::kHasKeys, ResetStep::kIsMember};

TEST(ResetRuleTest, WhoWasRemovedMayBeWipedWhateverItHas) {
  EXPECT_EQ(NextResetStep({.is_removed = true}), ResetStep::kNow);
  EXPECT_EQ(NextResetStep({.is_removed = true, .others = 3, .rows = 1000}), ResetStep::kNow);
}

TEST(ResetRuleTest, WhoHasLeftIsNotWipedBeforeSomebodyKnows) {
  EXPECT_EQ(NextResetStep({.is_removed = true, .is_known = false}), ResetStep::kWait);
  EXPECT_EQ(NextResetStep({.is_removed = true, .is_known = false, .others = 3, .rows = 1}), ResetStep::kWait);
}

TEST(ResetRuleTest, WhoLeavesIsWaitedForWhateverItHas) {
  EXPECT_EQ(NextResetStep({.is_leaving = true, .others = 3}), ResetStep::kWait);
  EXPECT_EQ(NextResetStep({.is_leaving = true, .others = 3, .rows = 1000, .is_quiet = true}),
            ResetStep::kWait);
  EXPECT_EQ(NextResetStep({.is_leaving = true}), ResetStep::kWait);
}

TEST(ResetRuleTest, AMemberOfSeveralLeavesFirstAndOnlyWithoutKeys) {
  EXPECT_EQ(NextResetStep({.others = 1}), ResetStep::kLeave);
  EXPECT_EQ(NextResetStep({.others = 1, .is_quiet = true}), ResetStep::kLeave);
  EXPECT_EQ(NextResetStep({.others = 1, .rows = 1}), ResetStep::kIsMember);
  EXPECT_EQ(NextResetStep({.others = 7, .rows = 1, .is_quiet = true}), ResetStep::kIsMember);
}

// A write that was acknowledged while it was decided would be lost.
TEST(ResetRuleTest, TheOnlyMemberFirstRefusesNewCommandsAndLooksAgain) {
  EXPECT_EQ(NextResetStep({}), ResetStep::kBeQuiet);
  EXPECT_EQ(NextResetStep({.is_quiet = true}), ResetStep::kNow);
  EXPECT_EQ(NextResetStep({.rows = 1}), ResetStep::kHasKeys);
  EXPECT_EQ(NextResetStep({.rows = 1, .is_quiet = true}), ResetStep::kHasKeys);
}

TEST(ResetRuleTest, NobodyIsWipedWhoMightBeNeeded) {
  for (int bits = 0; bits < 64; ++bits) {
    const ResetSituation s{(bits & 1) != 0,           (bits & 32) != 0,          (bits & 2) != 0,
                           (bits & 4) != 0 ? 2u : 0u, (bits & 8) != 0 ? 5u : 0u, (bits & 16) != 0};
    const bool owes_nobody =
        s.is_removed ? s.is_known : (!s.is_leaving && s.others == 0 && s.rows == 0 && s.is_quiet);
    EXPECT_EQ(NextResetStep(s) == ResetStep::kNow, owes_nobody) << bits;
  }
}

TEST(ResetRuleTest, RefusalsAreInRedissWords) {
  const std::set<ResetStep> refusals = {ResetStep::kHasKeys, ResetStep::kIsMember};
  for (ResetStep step : kAllSteps) EXPECT_EQ(WhyNoReset(step).empty(), !refusals.contains(step));
  EXPECT_EQ(WhyNoReset(ResetStep::kHasKeys),
            "CLUSTER RESET can't be called with master nodes containing keys");
  EXPECT_TRUE(WhyNoReset(ResetStep::kIsMember).starts_with(WhyNoReset(ResetStep::kHasKeys)));
}

}  // namespace
}  // namespace orrery::replication

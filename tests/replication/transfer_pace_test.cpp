#include "orrery/replication/transfer_pace.h"

#include <gtest/gtest.h>

namespace orrery::replication {
namespace {

constexpr uint64_t kTargetUs = 50'000;

class TransferPaceTest : public testing::Test {
 protected:
  /// So many tenths of a second in each of which `commands` took so long.
  void Pass(int ticks, int commands, uint64_t took_us) {
    for (int tick = 0; tick < ticks; ++tick) {
      for (int i = 0; i < commands; ++i) pace_.NoteForeground(took_us);
      now_us_ += TransferPace::kTickUs;
      pace_.Tick(now_us_, true);
    }
  }
  size_t TakeAll() {
    size_t taken = 0;
    while (taken < 100'000 && pace_.TryTake()) ++taken;
    return taken;
  }

  TransferPace pace_{kTargetUs};
  uint64_t now_us_ = 1'000'000;
};

TEST_F(TransferPaceTest, NothingIsTakenBeforeTheFirstTick) {
  EXPECT_FALSE(pace_.TryTake());
  Pass(1, 0, 0);
  EXPECT_TRUE(pace_.TryTake());
}

TEST_F(TransferPaceTest, WithoutClientsItRisesToTheMost) {
  Pass(30, 0, 0);
  EXPECT_EQ(pace_.slices_per_second(), TransferPace::kMost);
}

TEST_F(TransferPaceTest, WithQuickCommandsToo) {
  Pass(30, 100, kTargetUs / 2);
  EXPECT_EQ(pace_.slices_per_second(), TransferPace::kMost);
}

TEST_F(TransferPaceTest, SlowCommandsHalveItDownToTheLeast) {
  Pass(10, 100, 1'000);
  const uint64_t before = pace_.slices_per_second();
  Pass(1, 100, kTargetUs + 1);
  EXPECT_EQ(pace_.slices_per_second(), before / 2);
  Pass(20, 100, kTargetUs + 1);
  EXPECT_EQ(pace_.slices_per_second(), TransferPace::kLeast);
}

TEST_F(TransferPaceTest, OneSlowCommandOfAHundredIsWhatThe99thPercentileAllows) {
  pace_.Tick(now_us_, true);
  const uint64_t before = pace_.slices_per_second();
  for (int i = 0; i < 99; ++i) pace_.NoteForeground(1'000);
  pace_.NoteForeground(kTargetUs + 1);
  Pass(1, 0, 0);
  EXPECT_GE(pace_.slices_per_second(), before);
  pace_.NoteForeground(kTargetUs + 1);
  Pass(1, 0, 0);
  EXPECT_LT(pace_.slices_per_second(), before + before / 4);
}

TEST_F(TransferPaceTest, NearTheTargetItStays) {
  Pass(5, 100, 1'000);
  Pass(1, 100, kTargetUs / 2 + 1);
  const uint64_t before = pace_.slices_per_second();
  Pass(20, 100, kTargetUs / 2 + 1);
  EXPECT_EQ(pace_.slices_per_second(), before);
}

TEST_F(TransferPaceTest, RisesAgainWhenCommandsAreQuickAgain) {
  Pass(1, 0, 0);
  Pass(20, 100, kTargetUs + 1);
  ASSERT_EQ(pace_.slices_per_second(), TransferPace::kLeast);
  Pass(60, 100, 1'000);
  EXPECT_EQ(pace_.slices_per_second(), TransferPace::kMost);
}

TEST_F(TransferPaceTest, GivesAsManySlicesAsThePaceSaysAndSavesLittle) {
  Pass(1, 0, 0);
  Pass(20, 100, kTargetUs + 1);
  TakeAll();
  size_t taken = 0;
  for (int tick = 0; tick < 10; ++tick) {
    Pass(1, 100, kTargetUs + 1);
    taken += TakeAll();
  }
  EXPECT_EQ(taken, TransferPace::kLeast);
  Pass(50, 100, kTargetUs + 1);
  EXPECT_EQ(TakeAll(), TransferPace::kLeast / 5);
}

TEST_F(TransferPaceTest, BytesAreSlicesThatCannotBeTakenAnyMore) {
  Pass(1, 0, 0);
  Pass(20, 100, kTargetUs + 1);
  TakeAll();
  pace_.Spend(50 * TransferPace::kSliceBytes);
  Pass(5, 100, kTargetUs + 1);
  EXPECT_EQ(TakeAll(), 0u);
  Pass(1, 100, kTargetUs + 1);
  EXPECT_EQ(TakeAll(), TransferPace::kLeast / 10);
}

TEST_F(TransferPaceTest, WhatIsSlowWhileNothingMovesDoesNotCount) {
  pace_.Tick(now_us_, false);
  EXPECT_FALSE(pace_.is_moving());
  for (int i = 0; i < 100; ++i) pace_.NoteForeground(kTargetUs * 10);
  Pass(1, 0, 0);
  EXPECT_GE(pace_.slices_per_second(), TransferPace::kFirst);
}

// A home that a claimed seat is copied from had nothing to move itself, and so never a slice for who asked.
TEST_F(TransferPaceTest, WhoHasNothingToMoveHasSlicesForOthersAndIsMeasuredWhileTheyUseThem) {
  pace_.Tick(now_us_, false);
  EXPECT_FALSE(pace_.is_moving());
  size_t taken = 0;
  for (int tick = 0; tick < 30; ++tick) {
    taken += TakeAll();
    for (int i = 0; i < 100; ++i) pace_.NoteForeground(kTargetUs + 1);
    pace_.Tick(now_us_ += TransferPace::kTickUs, false);
    EXPECT_TRUE(pace_.is_moving());
  }
  EXPECT_GE(taken, 30 * TransferPace::kLeast / 10);
  EXPECT_EQ(pace_.slices_per_second(), TransferPace::kLeast);
  pace_.Tick(now_us_ += TransferPace::kTickUs, false);
  EXPECT_FALSE(pace_.is_moving());
  EXPECT_EQ(pace_.slices_per_second(), TransferPace::kFirst);
}

TEST_F(TransferPaceTest, WithoutATargetNothingIsHeldBack) {
  pace_.SetTarget(0);
  Pass(20, 100, 10'000'000);
  EXPECT_EQ(TakeAll(), 100'000u);
}

}  // namespace
}  // namespace orrery::replication

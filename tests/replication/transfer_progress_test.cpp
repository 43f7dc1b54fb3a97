#include "orrery/replication/transfer_progress.h"

#include <gtest/gtest.h>

#include <string>

namespace orrery::replication {
namespace {

constexpr uint64_t kSecondUs = 1'000'000;

TEST(TransferProgressTest, SaysNothingWhileNothingMoves) {
  TransferProgress progress("taking");
  for (uint64_t s = 1; s < 100; ++s) EXPECT_FALSE(progress.Update(s * kSecondUs, {0, 70, 0, 7000}));
  EXPECT_EQ(progress.facts().seats_done, 0u);
}

TEST(TransferProgressTest, TellsRateAndTimeLeft) {
  TransferProgress progress("taking");
  EXPECT_EQ(progress.Update(kSecondUs, {1000, 500, 0, 9'000'000}), "taking: 1000 seats are to move");
  std::optional<std::string> line;
  for (uint64_t s = 1; s <= 10; ++s) {
    line = progress.Update((1 + s) * kSecondUs, {1000 - s * 50, 500 + s * 50, 0, 9'000'000 + s * 100'000});
    EXPECT_EQ(line.has_value(), s == 10);
  }
  EXPECT_EQ(line,
            "taking: 500 of 1000 seats, 1.0 of about 2.0 MB, 50 seats and 0.1 MB a second, about 10 s left");
  EXPECT_EQ(progress.facts().seats_left, 500u);
  EXPECT_EQ(progress.facts().bytes_left, 1'000'000u);
}

TEST(TransferProgressTest, OldSecondsDoNotCountForTheRate) {
  TransferProgress progress("taking");
  progress.Update(kSecondUs, {100'000, 0, 0, 0});
  uint64_t done = 0;
  for (uint64_t s = 2; s < 60; ++s)
    progress.Update(s * kSecondUs, {100'000 - done, done += s < 30 ? 1000 : 10, 0, 0});
  EXPECT_EQ(progress.facts().seats_per_second, 10u);
}

TEST(TransferProgressTest, EndsWhenNothingHasBeenLeftForASecond) {
  TransferProgress progress("giving");
  progress.Update(kSecondUs, {10, 0, 0, 0});
  EXPECT_FALSE(progress.Update(3 * kSecondUs, {0, 10, 4, 2'500'000}));
  EXPECT_EQ(progress.Update(4 * kSecondUs, {0, 10, 4, 2'500'000}),
            "giving: done: 10 seats, of them 4 of removed nodes, 2.5 MB, in 2.0 s");
  EXPECT_EQ(progress.facts().seats_done, 0u);
  // The next one counts from where it begins.
  progress.Update(10 * kSecondUs, {5, 10, 4, 2'500'000});
  progress.Update(12 * kSecondUs, {1, 14, 4, 2'600'000});
  EXPECT_EQ(progress.facts().seats_done, 4u);
  progress.Update(13 * kSecondUs, {0, 15, 4, 2'600'000});
  EXPECT_EQ(progress.Update(14 * kSecondUs, {0, 15, 4, 2'600'000}),
            "giving: done: 5 seats, 0.1 MB, in 3.0 s");
}

TEST(TransferProgressTest, APauseIsNoEnd) {
  TransferProgress progress("giving");
  progress.Update(kSecondUs, {10, 0, 0, 0});
  progress.Update(2 * kSecondUs, {0, 10, 0, 0});
  EXPECT_FALSE(progress.Update(2 * kSecondUs + 500'000, {3, 10, 0, 0}));
  EXPECT_FALSE(progress.Update(4 * kSecondUs, {3, 10, 0, 0}));
  EXPECT_EQ(progress.facts().seats_done, 10u);
}

}  // namespace
}  // namespace orrery::replication

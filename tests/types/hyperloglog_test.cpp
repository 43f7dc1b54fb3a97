#include "orrery/types/hyperloglog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace orrery::types {
namespace {

HyperLogLog Counting(uint64_t first, uint64_t last) {
  HyperLogLog counting;
  for (uint64_t i = first; i <= last; ++i) counting.Add("element " + std::to_string(i));
  return counting;
}

std::string Registers(const HyperLogLog& counting) {
  std::string registers;
  for (size_t i = 0; i < HyperLogLog::kRegisters; ++i) registers.push_back(static_cast<char>(counting.at(i)));
  return registers;
}

TEST(HyperLogLogTest, AnEmptyOneCountsNothingAndHasTheTextOfRedis) {
  EXPECT_EQ(HyperLogLog().Count(), 0u);
  const std::string text = HyperLogLog().Text();
  ASSERT_EQ(text.size(), 18u);
  EXPECT_TRUE(text.starts_with("HYLL\x01"));
  EXPECT_TRUE(text.ends_with("\x80\x7f\xff"));
}

TEST(HyperLogLogTest, AddsEachElementOnce) {
  HyperLogLog counting;
  EXPECT_TRUE(counting.Add("a"));
  EXPECT_FALSE(counting.Add("a"));
  EXPECT_TRUE(counting.Add(""));
  EXPECT_EQ(counting.Count(), 2u);
}

TEST(HyperLogLogTest, CountsWithinThreePercent) {
  for (const uint64_t n : {10u, 100u, 1'000u, 10'000u, 100'000u, 1'000'000u}) {
    const auto count = static_cast<double>(Counting(1, n).Count());
    EXPECT_NEAR(count, static_cast<double>(n), 0.03 * static_cast<double>(n)) << n;
  }
}

TEST(HyperLogLogTest, JoiningIsAddingAllWhateverTheOrder) {
  const HyperLogLog all = Counting(1, 5'000);
  HyperLogLog ab = Counting(1, 3'000);
  HyperLogLog ba = Counting(2'000, 5'000);
  ab.Join(ba);
  ba.Join(Counting(1, 3'000));
  EXPECT_EQ(Registers(ab), Registers(all));
  EXPECT_EQ(Registers(ba), Registers(all));
  ab.Join(ba);
  EXPECT_EQ(ab.Count(), all.Count());
}

TEST(HyperLogLogTest, TextsAreReadAsTheyWereWritten) {
  for (const uint64_t n : {0u, 1u, 5u, 200u, 1'000u, 3'000u, 200'000u}) {
    const HyperLogLog counting = Counting(1, n);
    const std::string text = counting.Text();
    ASSERT_TRUE(HyperLogLog::LooksLikeOne(text));
    const auto parsed = HyperLogLog::Parse(text);
    ASSERT_TRUE(parsed) << n;
    EXPECT_EQ(Registers(*parsed), Registers(counting)) << n;
    EXPECT_EQ(parsed->Text(), text) << n;
    EXPECT_EQ(parsed->is_dense(), text.size() == 12'304) << n;
  }
}

TEST(HyperLogLogTest, GetsDenseWhenSparseWouldBeLongerAndStaysSo) {
  HyperLogLog counting = Counting(1, 100);
  EXPECT_LT(counting.Text().size(), 1'000u);
  counting.Join(Counting(1, 20'000));
  EXPECT_EQ(counting.Text().size(), 12'304u);
  HyperLogLog small;
  small.MakeDense();
  const auto parsed = HyperLogLog::Parse(small.Text());
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->is_dense());
  HyperLogLog other;
  other.Join(*parsed);
  EXPECT_EQ(other.Text().size(), 12'304u);
}

// A run of zeros that a sparse register cannot hold.
TEST(HyperLogLogTest, HoldsValuesThatOnlyDenseRegistersCan) {
  HyperLogLog dense;
  dense.MakeDense();
  std::string text = dense.Text();
  text[16] = 51;
  const auto parsed = HyperLogLog::Parse(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->at(0), 51);
  HyperLogLog sparse;
  sparse.Join(*parsed);
  EXPECT_EQ(sparse.Text(), text.substr(0, 15) + "\x80" + text.substr(16));
  EXPECT_EQ(sparse.Count(), 1u);
}

TEST(HyperLogLogTest, RefusesWhatIsNone) {
  const std::string text = Counting(1, 3).Text();
  for (const std::string& wrong : {std::string(), std::string("HYLL"), "hyll" + text.substr(4),
                                   text.substr(0, 15), text.substr(0, 4) + "\x02" + text.substr(5),
                                   text.substr(0, 4) + std::string(1, '\0') + text.substr(5)}) {
    EXPECT_FALSE(HyperLogLog::LooksLikeOne(wrong));
  }
  for (const std::string& broken :
       {text + "x", text.substr(0, text.size() - 1), text.substr(0, 16), text + text}) {
    ASSERT_TRUE(HyperLogLog::LooksLikeOne(broken));
    EXPECT_FALSE(HyperLogLog::Parse(broken));
  }
}

TEST(MurmurHash64ATest, EveryLengthHasAHashOfItsOwn) {
  std::string bytes;
  std::vector<uint64_t> seen;
  for (int i = 0; i < 64; ++i) {
    seen.push_back(MurmurHash64A(bytes, 7));
    bytes.push_back(static_cast<char>(i + 200));
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
}

}  // namespace
}  // namespace orrery::types

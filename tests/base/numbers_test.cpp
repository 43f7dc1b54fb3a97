#include "orrery/base/numbers.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>

namespace orrery {
namespace {

using std::string_literals::operator""s;

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(IntegerTextTest, ReadsOnlyWhatItWrites) {
  for (const int64_t value : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{10}, int64_t{-42}, kMin, kMax}) {
    std::string text;
    AppendInteger(value, &text);
    EXPECT_EQ(text, std::to_string(value));
    EXPECT_EQ(ParseInteger(text), value);
  }
}

TEST(IntegerTextTest, RefusesEverythingElse) {
  for (const std::string& text :
       {""s, "-"s, "+1"s, "01"s, "-0"s, "-01"s, "00"s, " 1"s, "1 "s, "1a"s, "0x1"s, "1.0"s, "--1"s, "1\0"s,
        "9223372036854775808"s, "-9223372036854775809"s, "99999999999999999999"s, "1e3"s}) {
    EXPECT_EQ(ParseInteger(text), std::nullopt) << text;
  }
}

TEST(DoubleTextTest, ShowsSeventeenDigits) {
  const std::pair<double, const char*> cases[] = {
      {0, "0"},
      {-0.0, "-0"},
      {3, "3"},
      {-17, "-17"},
      {0.5, "0.5"},
      {0.1, "0.10000000000000001"},
      {3.14159, "3.1415899999999999"},
      {123456789.123, "123456789.123"},
      {1e15, "1000000000000000"},
      {1e16, "10000000000000000"},
      {1e17, "1e+17"},
      {4503599627370497, "4503599627370497"},
      {1e-5, "1.0000000000000001e-05"},
      {1e300, "1.0000000000000001e+300"},
      {5e-324, "4.9406564584124654e-324"},
      {kInfinity, "inf"},
      {-kInfinity, "-inf"},
      {kNan, "nan"},
      {-kNan, "nan"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(DoubleToText(value), text);
}

TEST(DoubleTextTest, AgreesWithPrintfAndReadsBackTheSameBits) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20000; ++i) {
    double value = std::bit_cast<double>(random());
    if (i % 3 == 0) value = static_cast<double>(static_cast<int64_t>(random() >> (random() % 64)));
    if (i % 3 == 1) value = static_cast<double>(random() % 1000000) / 1000;
    if (!std::isfinite(value)) continue;
    char printed[64];
    std::snprintf(printed, sizeof(printed), "%.17g", value);
    ASSERT_EQ(DoubleToText(value), printed);
    const std::optional<double> parsed = ParseDouble(printed);
    ASSERT_TRUE(parsed) << printed;
    ASSERT_EQ(std::bit_cast<uint64_t>(*parsed), std::bit_cast<uint64_t>(value)) << printed;
  }
}

TEST(DoubleTextTest, ReadsWhatRedisReads) {
  const std::pair<const char*, double> cases[] = {
      {"1", 1},           {"-1.5", -1.5},       {"+5", 5},           {"5.", 5},
      {".5", 0.5},        {"1e3", 1000},        {"1E-2", 0.01},      {"0x10", 16},
      {"inf", kInfinity}, {"-inf", -kInfinity}, {"+inf", kInfinity}, {"Infinity", kInfinity},
      {"1e-320", 1e-320}, {"007", 7},
  };
  for (const auto& [text, value] : cases) EXPECT_EQ(ParseDouble(text), value) << text;
}

TEST(DoubleTextTest, RefusesWhatRedisRefuses) {
  for (const std::string& text :
       {""s,   " 1"s,  "1 "s,  "\t1"s, "nan"s, "-nan"s,  "nan(1)"s, "1e400"s, "-1e400"s, "1e-400"s,
        "1e"s, "abc"s, "1,5"s, "1\0"s, "\0"s,  "1.2.3"s, "--1"s,    "+-1"s,   "."s,      "0x"s}) {
    EXPECT_EQ(ParseDouble(text), std::nullopt) << text;
    if (text != "1e400" && text != "-1e400" && text != "1e-400") {
      EXPECT_EQ(ParseLongDouble(text), std::nullopt) << text;
    }
  }
}

TEST(LongDoubleTextTest, IsPlainAndTrimmed) {
  const std::pair<long double, const char*> cases[] = {
      {0, "0"},
      {-0.0L, "0"},
      {-1e-30L, "0"},
      {10.6L, "10.6"},
      {3200, "3200"},
      {-3.5L, "-3.5"},
      {0.1L + 0.2L, "0.3"},
      {1e-17L, "0.00000000000000001"},
      {1e30L, "1000000000000000000024696061952"},
      {HUGE_VALL, "inf"},
      {-HUGE_VALL, "-inf"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(LongDoubleToText(value), text);
  EXPECT_EQ(LongDoubleToText(std::numeric_limits<long double>::max()).size(), 4933u);
}

TEST(LongDoubleTextTest, ReadsInFullPrecision) {
  EXPECT_EQ(ParseLongDouble("0.1"), 0.1L);
  EXPECT_EQ(ParseLongDouble("+5"), 5.0L);
  EXPECT_EQ(ParseLongDouble("0x10"), 16.0L);
  EXPECT_EQ(ParseLongDouble("1e400"), 1e400L);
  EXPECT_EQ(ParseLongDouble("-inf"), -HUGE_VALL);
  EXPECT_EQ(ParseLongDouble("1e5000"), std::nullopt);
  EXPECT_EQ(ParseLongDouble("1e-5000"), std::nullopt);
  EXPECT_TRUE(ParseLongDouble("1" + std::string(4900, '0')));
  EXPECT_EQ(ParseLongDouble(std::string(5119, '0')), 0.0L);
  EXPECT_EQ(ParseLongDouble(std::string(5120, '0')), std::nullopt);
}

}  // namespace
}  // namespace orrery

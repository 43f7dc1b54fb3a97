#include <gtest/gtest.h>

#include "orrery/resp/reply_scanner.h"
#include "orrery/resp/value_parser.h"
#include "resp/random_value.h"

namespace orrery::resp {
namespace {

std::string Encoded(const Value& value, Protocol protocol) {
  std::string out;
  ReplyWriter writer(&out, protocol);
  WriteValue(value, &writer);
  return out;
}

TEST(ValueRoundTripTest, WhatIsWrittenInResp3IsReadBack) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomValues values(seed);
  for (int i = 0; i < 3000; ++i) {
    const Value value = values.Next();
    const Result<Value> parsed = ParseValue(Encoded(value, Protocol::kResp3));
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    ASSERT_EQ(*parsed, value);
  }
}

TEST(ValueRoundTripTest, Resp2IsAFixedPoint) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomValues values(seed);
  for (int i = 0; i < 3000; ++i) {
    const std::string bytes = Encoded(values.Next(), Protocol::kResp2);
    const Result<Value> parsed = ParseValue(bytes);
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    ASSERT_EQ(Encoded(*parsed, Protocol::kResp2), bytes);
  }
}

TEST(ValueRoundTripTest, AStreamComesOutWholeFromRandomChunks) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomValues values(seed);
  std::string bytes;
  Value::List expected;
  for (int i = 0; i < 500; ++i) {
    expected.push_back(values.Next());
    bytes += Encoded(expected.back(), Protocol::kResp3);
  }
  ValueParser parser;
  InputBuffer input;
  Value::List got;
  for (std::string_view rest = bytes; !rest.empty();) {
    const size_t n = std::min<size_t>(1 + values.Below(700), rest.size());
    input.Append(rest.substr(0, n));
    rest.remove_prefix(n);
    Value value;
    while (parser.Next(&input, &value) == ValueParser::Outcome::kValue) got.push_back(value);
  }
  EXPECT_EQ(parser.error(), "");
  EXPECT_TRUE(input.empty());
  EXPECT_TRUE(got == expected);
}

TEST(ValueRoundTripTest, TheScannerFindsTheSameEnds) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RandomValues values(seed);
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = Encoded(values.Next(), Protocol::kResp3);
    ReplyScanner scanner;
    const size_t cut = values.Below(static_cast<uint32_t>(bytes.size()));
    ASSERT_EQ(scanner.Scan(bytes.substr(0, cut)), ReplyScanner::Outcome::kIncomplete);
    ASSERT_EQ(scanner.Scan(bytes + ":1\r\n"), ReplyScanner::Outcome::kComplete);
    ASSERT_EQ(scanner.reply_bytes(), bytes.size());
  }
}

}  // namespace
}  // namespace orrery::resp

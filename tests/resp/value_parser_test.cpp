#include "orrery/resp/value_parser.h"

#include <gtest/gtest.h>

#include <cmath>

namespace orrery::resp {
namespace {

using Type = Value::Type;
using List = Value::List;

struct ReplyCase {
  const char* name;
  std::string bytes;
  Value value;
};

Value WithAttributes(Value value, List attributes) {
  value.set_attributes(std::move(attributes));
  return value;
}

const ReplyCase kReplies[] = {
    {"SimpleString", "+OK\r\n", Value::SimpleString("OK")},
    {"EmptySimpleString", "+\r\n", Value::SimpleString("")},
    {"Error", "-ERR no\r\n", Value::Error("ERR no")},
    {"Integer", ":-42\r\n", Value::Integer(-42)},
    {"IntegerWithPlus", ":+42\r\n", Value::Integer(42)},
    {"BulkString", "$4\r\na\r\nb\r\n", Value::BulkString("a\r\nb")},
    {"EmptyBulkString", "$0\r\n\r\n", Value::BulkString("")},
    {"Resp2Null", "$-1\r\n", Value::Null()},
    {"Resp2NullArray", "*-1\r\n", Value::NullArray()},
    {"Resp3Null", "_\r\n", Value::Null()},
    {"Double", ",3.25\r\n", Value::Double(3.25)},
    {"Infinity", ",-inf\r\n", Value::Double(-HUGE_VAL)},
    {"True", "#t\r\n", Value::Bool(true)},
    {"False", "#f\r\n", Value::Bool(false)},
    {"BigNumber", "(-123456789012345678901\r\n", Value::Text(Type::kBigNumber, "-123456789012345678901")},
    {"BlobError", "!5\r\nERR x\r\n", Value::Text(Type::kBlobError, "ERR x")},
    {"Verbatim", "=6\r\ntxt:ab\r\n", Value::Text(Type::kVerbatim, "txt:ab")},
    {"EmptyArray", "*0\r\n", Value::Array({})},
    {"Array", "*2\r\n:1\r\n$1\r\nx\r\n", Value::Array({Value::Integer(1), Value::BulkString("x")})},
    {"Nested", "*2\r\n*1\r\n*0\r\n*1\r\n:1\r\n",
     Value::Array({Value::Array({Value::Array({})}), Value::Array({Value::Integer(1)})})},
    {"Map", "%1\r\n+k\r\n:1\r\n",
     Value::Aggregate(Type::kMap, {Value::SimpleString("k"), Value::Integer(1)})},
    {"Set", "~1\r\n+k\r\n", Value::Aggregate(Type::kSet, {Value::SimpleString("k")})},
    {"Push", ">1\r\n+k\r\n", Value::Aggregate(Type::kPush, {Value::SimpleString("k")})},
    {"Attribute", "|1\r\n+ttl\r\n:5\r\n+OK\r\n",
     WithAttributes(Value::SimpleString("OK"), {Value::SimpleString("ttl"), Value::Integer(5)})},
    {"EmptyAttribute", "|0\r\n+OK\r\n", Value::SimpleString("OK")},
    {"AttributeOfAnAggregate", "|1\r\n+a\r\n+b\r\n*1\r\n:1\r\n",
     WithAttributes(Value::Array({Value::Integer(1)}), {Value::SimpleString("a"), Value::SimpleString("b")})},
    {"AttributeInsideAnArray", "*2\r\n:1\r\n|1\r\n+a\r\n*1\r\n:9\r\n:2\r\n",
     Value::Array(
         {Value::Integer(1),
          WithAttributes(Value::Integer(2), {Value::SimpleString("a"), Value::Array({Value::Integer(9)})})})},
    {"AttributesInSequence", "|1\r\n+a\r\n:1\r\n|1\r\n+b\r\n:2\r\n+OK\r\n",
     WithAttributes(Value::SimpleString("OK"), {Value::SimpleString("a"), Value::Integer(1),
                                                Value::SimpleString("b"), Value::Integer(2)})},
    {"AttributeOfAnAttribute", "|1\r\n+a\r\n|1\r\n+b\r\n:2\r\n:1\r\n+OK\r\n",
     WithAttributes(Value::SimpleString("OK"),
                    {Value::SimpleString("a"),
                     WithAttributes(Value::Integer(1), {Value::SimpleString("b"), Value::Integer(2)})})},
};

class ReplyTest : public testing::TestWithParam<ReplyCase> {};

TEST_P(ReplyTest, IsBuiltTheSameHoweverItIsSplit) {
  const ReplyCase& c = GetParam();
  for (size_t split = 0; split < c.bytes.size(); ++split) {
    ValueParser parser;
    InputBuffer input;
    Value value;
    input.Append(c.bytes.substr(0, split));
    ASSERT_EQ(parser.Next(&input, &value), ValueParser::Outcome::kIncomplete) << split;
    input.Append(c.bytes.substr(split) + "+next\r\n");
    ASSERT_EQ(parser.Next(&input, &value), ValueParser::Outcome::kValue) << split << " " << parser.error();
    EXPECT_EQ(value, c.value) << split;
    ASSERT_EQ(parser.Next(&input, &value), ValueParser::Outcome::kValue);
    EXPECT_EQ(value, Value::SimpleString("next"));
  }
}

TEST_P(ReplyTest, IsBuiltByteByByte) {
  const ReplyCase& c = GetParam();
  ValueParser parser;
  InputBuffer input;
  Value value;
  auto outcome = ValueParser::Outcome::kIncomplete;
  for (const char byte : c.bytes) {
    ASSERT_EQ(outcome, ValueParser::Outcome::kIncomplete);
    input.Append({&byte, 1});
    outcome = parser.Next(&input, &value);
  }
  ASSERT_EQ(outcome, ValueParser::Outcome::kValue);
  EXPECT_EQ(value, c.value);
}

INSTANTIATE_TEST_SUITE_P(Replies, ReplyTest, testing::ValuesIn(kReplies),
                         [](const auto& test) { return test.param.name; });

TEST(ValueParserTest, RefusesMalformedReplies) {
  for (const char* bytes : {"OK\r\n",
                            "?\r\n",
                            "\r\n",
                            "+OK\rX",
                            ":x\r\n",
                            ":\r\n",
                            ":+-1\r\n",
                            ":++1\r\n",
                            ":1 \r\n",
                            "$x\r\n",
                            "$-2\r\n",
                            "$+1\r\na\r\n",
                            "$1\r\nabc",
                            "*-2\r\n",
                            "*x\r\n",
                            "%-1\r\n",
                            "~-1\r\n",
                            "|-1\r\n",
                            "*4294967296\r\n",
                            "*9223372036854775808\r\n",
                            "$9223372036854775807\r\n",
                            "#x\r\n",
                            "#\r\n",
                            "#tt\r\n",
                            "_x\r\n",
                            ",\r\n",
                            ",x\r\n",
                            ", 1\r\n",
                            "(\r\n",
                            "(1a\r\n",
                            "(-\r\n",
                            "=3\r\ntxt\r\n",
                            "=4\r\ntxt;\r\n",
                            "=-1\r\n",
                            "!-1\r\n",
                            "$?\r\n",
                            "*?\r\n",
                            ";4\r\n"}) {
    ValueParser parser;
    InputBuffer input;
    Value value;
    input.Append(bytes);
    EXPECT_EQ(parser.Next(&input, &value), ValueParser::Outcome::kError) << bytes;
    EXPECT_NE(parser.error(), "");
    input.Append("+OK\r\n");
    EXPECT_EQ(parser.Next(&input, &value), ValueParser::Outcome::kError) << "stays broken: " << bytes;
  }
}

TEST(ValueParserTest, ReadsNan) {
  const Result<Value> value = ParseValue(",nan\r\n");
  ASSERT_TRUE(value.ok());
  EXPECT_TRUE(std::isnan(value->number()));
}

TEST(ValueParserTest, RefusesDeepNestingInsteadOfExhaustingTheStack) {
  ReplyLimits limits;
  limits.depth_max = 10;
  const auto nested = [](int depth) {
    std::string bytes;
    for (int i = 0; i < depth; ++i) bytes += "*1\r\n";
    return bytes + ":1\r\n";
  };
  EXPECT_TRUE(ParseValue(nested(10), limits).ok());
  EXPECT_EQ(ParseValue(nested(11), limits).status().message(), "reply nested too deeply");
  EXPECT_FALSE(ParseValue(nested(1000000)).ok());
}

TEST(ValueParserTest, WantsTheRestOfABlob) {
  ValueParser parser;
  InputBuffer input;
  Value value;
  input.Append("*2\r\n:1\r\n$1000\r\nabc");
  EXPECT_EQ(parser.Next(&input, &value), ValueParser::Outcome::kIncomplete);
  EXPECT_EQ(parser.bytes_wanted(), 999u);
  EXPECT_EQ(input.view(), "$1000\r\nabc") << "finished elements do not stay in the buffer";
}

TEST(ValueParserTest, LimitsLinesAndBlobs) {
  ReplyLimits limits;
  limits.line_bytes_max = 10;
  limits.bulk_bytes_max = 5;
  EXPECT_TRUE(ParseValue("+123456789\r\n", limits).ok());
  EXPECT_FALSE(ParseValue("+1234567890\r\n", limits).ok());
  EXPECT_TRUE(ParseValue("$5\r\n12345\r\n", limits).ok());
  EXPECT_FALSE(ParseValue("$6\r\n123456\r\n", limits).ok());
}

TEST(ValueParserTest, ParseValueWantsExactlyOneReply) {
  EXPECT_EQ(ParseValue("+OK\r\n").value(), Value::SimpleString("OK"));
  EXPECT_EQ(ParseValue("+OK").status().message(), "incomplete reply");
  EXPECT_EQ(ParseValue("+OK\r\n+").status().message(), "bytes after the reply");
  EXPECT_EQ(ParseValue("+OK\r\n+").status().code(), StatusCode::kInvalid);
}

TEST(ValueTest, VerbatimKnowsItsExtension) {
  const Value value = Value::Text(Type::kVerbatim, "mkd:# Title");
  EXPECT_EQ(value.extension(), "mkd");
  EXPECT_EQ(value.text(), "# Title");
  EXPECT_EQ(Value::BulkString("x").extension(), "");
  EXPECT_EQ(Value::Integer(1).text(), "");
}

}  // namespace
}  // namespace orrery::resp

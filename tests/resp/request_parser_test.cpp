#include "orrery/resp/request_parser.h"

#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "resp/request_feed.h"

namespace orrery::resp {
namespace {

using std::string_literals::operator""s;

Transcript FeedWhole(std::string_view bytes, const RequestLimits& limits = {}) {
  return FeedRequests(bytes, limits, true, [&] { return bytes.size(); });
}

/// Feeds at every split point, and byte by byte: the transcript must always be the expected one.
void ExpectAtEverySplit(const std::string& bytes, const Transcript& expected) {
  for (size_t split = 0; split <= bytes.size(); ++split) {
    size_t next = split;
    const Transcript got = FeedRequests(bytes, {}, true, [&] { return std::exchange(next, bytes.size()); });
    EXPECT_EQ(got, expected) << "split at " << split << ", error: " << got.error;
  }
  EXPECT_EQ(FeedRequests(bytes, {}, true, [] { return size_t{1}; }), expected) << "byte by byte";
}

struct StreamCase {
  const char* name;
  std::string bytes;
  std::vector<Arguments> commands;
  std::string error;
  size_t left_bytes = 0;
};

class RequestStreamTest : public testing::TestWithParam<StreamCase> {};

TEST_P(RequestStreamTest, ComesOutTheSameHoweverItIsSplit) {
  const StreamCase& c = GetParam();
  ExpectAtEverySplit(c.bytes, {c.commands, c.error, false, c.left_bytes});
}

const StreamCase kStreams[] = {
    {"Get", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", {{"GET", "k"}}, ""},
    {"EmptyArgument", "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", {{"ECHO", ""}}, ""},
    {"BinaryArgument", "*2\r\n$4\r\nECHO\r\n$5\r\n\r\n\0*$\r\n"s, {{"ECHO", "\r\n\0*$"s}}, ""},
    {"Pipelined",
     "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nQUIT\r\nGET a\r\n",
     {{"PING"}, {"QUIT"}, {"GET", "a"}},
     ""},
    {"EmptyRequestsAreSkipped", "\r\n*0\r\n*-1\r\n  \r\n\n*-7\r\nPING\r\n\r\n", {{"PING"}}, ""},
    {"InlineWithBareLineFeed", "PING\nECHO x\n", {{"PING"}, {"ECHO", "x"}}, ""},
    {"InlineQuoted", "SET \"a b\" 'c\\'d' \"\\x41\\n\"\r\n", {{"SET", "a b", "c'd", "A\n"}}, ""},
    {"InlineWithNul", "ECHO a\0b\r\n"s, {{"ECHO", "a\0b"s}}, ""},
    {"LineFeedsAreNotLookedAt", "*1\rx$4\ryPINGzz*1\r\n$1\r\na\r\n", {{"PING"}, {"a"}}, ""},
    {"IncompleteArgument", "PING\r\n*2\r\n$3\r\nGET\r\n$5\r\nab", {{"PING"}}, "", 19},
    {"IncompleteLine", "*1\r\n$4\r\nPING\r\n*1\r", {{"PING"}}, "", 3},
    {"CommandsBeforeAnErrorCount",
     "*1\r\n$4\r\nPING\r\n*x\r\n",
     {{"PING"}},
     "Protocol error: invalid multibulk length"},
    {"NoCount", "*\r\n", {}, "Protocol error: invalid multibulk length"},
    {"CountWithLeadingZero", "*01\r\n", {}, "Protocol error: invalid multibulk length"},
    {"CountWithPlus", "*+1\r\n", {}, "Protocol error: invalid multibulk length"},
    {"CountWithBlank", "*1 \r\n", {}, "Protocol error: invalid multibulk length"},
    {"CountBeyondInt64", "*9223372036854775808\r\n", {}, "Protocol error: invalid multibulk length"},
    {"CountBeyondInt32", "*2147483648\r\n", {}, "Protocol error: invalid multibulk length"},
    {"NotABulk", "*1\r\nPING\r\n", {}, "Protocol error: expected '$', got 'P'"},
    {"IntegerForBulk", "*2\r\n$3\r\nGET\r\n:5\r\n", {}, "Protocol error: expected '$', got ':'"},
    {"EmptyLineForBulk", "*1\r\n\r\n", {}, "Protocol error: expected '$', got ' '"},
    {"LineFeedForBulk", "*1\r\n\nx\r\n", {}, "Protocol error: expected '$', got ' '"},
    {"NoBulkLength", "*1\r\n$\r\n", {}, "Protocol error: invalid bulk length"},
    {"NegativeBulkLength", "*1\r\n$-1\r\n", {}, "Protocol error: invalid bulk length"},
    {"BulkLengthWithLeadingZero", "*1\r\n$04\r\n", {}, "Protocol error: invalid bulk length"},
    {"BulkLengthNotANumber", "*1\r\n$4a\r\n", {}, "Protocol error: invalid bulk length"},
    {"BulkLengthBeyondLimit", "*1\r\n$536870913\r\n", {}, "Protocol error: invalid bulk length"},
    {"BulkLengthBeyondInt64", "*1\r\n$99999999999999999999\r\n", {}, "Protocol error: invalid bulk length"},
    {"UnbalancedQuotes", "GET \"a\r\n", {}, "Protocol error: unbalanced quotes in request"},
    {"QuoteInsideWord", "GET \"a\"b\r\n", {}, "Protocol error: unbalanced quotes in request"},
};

INSTANTIATE_TEST_SUITE_P(Streams, RequestStreamTest, testing::ValuesIn(kStreams),
                         [](const auto& test) { return test.param.name; });

TEST(RequestParserTest, StaysBrokenAfterAnError) {
  const RequestLimits limits;
  RequestParser parser(&limits);
  InputBuffer input;
  Command command;
  input.Append("*x\r\n*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kError);
  EXPECT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kError);
  EXPECT_EQ(parser.error(), "Protocol error: invalid multibulk length");
}

TEST(RequestParserTest, ArgumentsPointIntoTheBuffer) {
  const RequestLimits limits;
  RequestParser parser(&limits);
  InputBuffer input;
  const std::string first = Multibulk({"SET", "key", "value"});
  input.Append(first + "GET \"key\"\r\n");
  const char* const bytes = input.data();
  const char* const end = bytes + input.size();

  Command command;
  ASSERT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kCommand);
  EXPECT_EQ(command.raw, first);
  EXPECT_FALSE(command.is_inline);
  const std::string_view value = command.args[2];
  ASSERT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kCommand);
  EXPECT_TRUE(command.is_inline);
  EXPECT_TRUE(input.empty());
  for (const std::string_view view : {value, command.args[0], command.args[1]}) {
    EXPECT_GE(view.data(), bytes);
    EXPECT_LE(view.data() + view.size(), end);
  }
  EXPECT_EQ(value, "value") << "views outlive consumption";
  EXPECT_EQ(command.args[1], "key");
}

TEST(RequestParserTest, TellsHowMuchOfAnArgumentIsMissing) {
  const RequestLimits limits;
  RequestParser parser(&limits);
  InputBuffer input;
  Command command;
  input.Append("*2\r\n$4\r\nECHO\r\n$1000\r\nabc");
  EXPECT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kIncomplete);
  EXPECT_EQ(parser.bytes_wanted(), 999u);
  input.Append(std::string(997, 'x') + "\r");
  EXPECT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kIncomplete);
  EXPECT_EQ(parser.bytes_wanted(), 1u);
  input.Append("\n");
  EXPECT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kCommand);
  EXPECT_EQ(parser.bytes_wanted(), 0u);
  EXPECT_EQ(command.args[1].size(), 1000u);
}

TEST(RequestParserTest, ReceivesALargeArgumentInPlace) {
  constexpr size_t kSize = size_t{32} << 20;
  const RequestLimits limits;
  RequestParser parser(&limits);
  InputBuffer input;
  Command command;
  input.Append("*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$" + std::to_string(kSize) + "\r\n");
  ASSERT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kIncomplete);
  input.Prepare(parser.bytes_wanted());
  const char* const place = input.data();

  const std::string body = std::string(kSize, 'v') + "\r\n$2\r\nEX\r\n$2\r\n10\r\n";
  std::string_view rest = body;
  auto outcome = RequestParser::Outcome::kIncomplete;
  while (!rest.empty()) {
    const auto room = input.Prepare(parser.bytes_wanted());
    const size_t n = std::min({room.size(), rest.size(), size_t{65536}});
    std::copy_n(rest.begin(), n, room.begin());
    input.Commit(n);
    rest.remove_prefix(n);
    outcome = parser.Next(&input, &command);
  }
  ASSERT_EQ(outcome, RequestParser::Outcome::kCommand);
  EXPECT_EQ(command.raw.data(), place) << "the buffer has moved";
  EXPECT_EQ(command.args[2].size(), kSize);
  EXPECT_EQ(command.args[4], "10");
  EXPECT_LE(input.capacity(), kSize + 2 * InputBuffer::kReadBytes);
}

TEST(RequestParserTest, KeepsItsTablesWhileWarmAndDropsLargeOnes) {
  const RequestLimits limits;
  RequestParser parser(&limits);
  InputBuffer input;
  Command command;
  input.Append(Multibulk({"SET", "key", "value"}));
  ASSERT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kCommand);
  const size_t warm = parser.memory_bytes();
  for (int i = 0; i < 100; ++i) {
    input.Append(Multibulk({"SET", "key", "value"}));
    ASSERT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kCommand);
  }
  EXPECT_EQ(parser.memory_bytes(), warm);

  input.Append(Multibulk(Arguments(5000, "x")));
  ASSERT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kCommand);
  EXPECT_EQ(command.args.size(), 5000u);
  EXPECT_GT(parser.memory_bytes(), 5000u * 16);
  parser.ShrinkIfIdle();
  EXPECT_LT(parser.memory_bytes(), 5000u * 16);
}

TEST(RequestParserTest, RandomPipelinesComeBackInRandomChunks) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](uint32_t bound) { return random() % bound; };
  std::string bytes;
  Transcript expected;
  for (int i = 0; i < 2000; ++i) {
    Arguments args(1 + below(6));
    for (std::string& arg : args) {
      arg.resize(below(20) == 0 ? below(50000) : below(30));
      for (char& c : arg) c = static_cast<char>(random());
    }
    bytes += Multibulk(args);
    expected.commands.push_back(args);
  }
  const auto chunk = [&] { return size_t{below(4) == 0 ? below(100000) : below(100)}; };
  EXPECT_TRUE(FeedRequests(bytes, {}, true, chunk) == expected);
  EXPECT_TRUE(FeedWhole(bytes) == expected);
}

}  // namespace
}  // namespace orrery::resp

#include <gtest/gtest.h>

#include "resp/request_feed.h"

namespace orrery::resp {
namespace {

struct LimitCase {
  std::string bytes;
  std::string error;
};

Transcript FeedInChunks(std::string_view bytes, const RequestLimits& limits, size_t chunk,
                        bool authenticated = true) {
  return FeedRequests(bytes, limits, authenticated, [&] { return chunk; });
}

TEST(RequestLimitsTest, LongLinesFailAtTheSameByteHoweverTheyArrive) {
  const std::string fits(65535, '1');
  const LimitCase cases[] = {
      {fits + "11", "Protocol error: too big inline request"},
      {fits + "11\r\n", "Protocol error: too big inline request"},
      {fits + "1\n", ""},
      {"*" + fits + "1", "Protocol error: too big mbulk count string"},
      {"*" + fits + "1\r\n", "Protocol error: too big mbulk count string"},
      {"*" + fits + "\r\n", "Protocol error: invalid multibulk length"},
      {"*" + fits, ""},
      {"*1\r\n$" + fits + "1", "Protocol error: too big bulk count string"},
      {"*1\r\n$" + fits + "1\r\n", "Protocol error: too big bulk count string"},
      {"*1\r\n$" + fits + "\r\n", "Protocol error: invalid bulk length"},
  };
  for (const LimitCase& c : cases) {
    for (const size_t chunk : {size_t{1}, size_t{1000}, c.bytes.size()}) {
      EXPECT_EQ(FeedInChunks(c.bytes, {}, chunk).error, c.error)
          << c.bytes.substr(0, 8) << " of " << c.bytes.size() << " in chunks of " << chunk;
    }
  }
}

TEST(RequestLimitsTest, StrangersMaySendLittle) {
  const LimitCase cases[] = {
      {"*10\r\n", ""},
      {"*11\r\n", "Protocol error: unauthenticated multibulk length"},
      {"*1000000000\r\n", "Protocol error: unauthenticated multibulk length"},
      {"*1\r\n$16384\r\n", ""},
      {"*1\r\n$16385\r\n", "Protocol error: unauthenticated bulk length"},
      {"*1\r\n$536870912\r\n", "Protocol error: unauthenticated bulk length"},
  };
  for (const LimitCase& c : cases) {
    EXPECT_EQ(FeedInChunks(c.bytes, {}, 1, false).error, c.error) << c.bytes;
    EXPECT_EQ(FeedInChunks(c.bytes, {}, c.bytes.size(), true).error, "") << c.bytes;
  }
}

TEST(RequestLimitsTest, AuthenticationCountsFromTheNextHeader) {
  const RequestLimits limits;
  RequestParser parser(&limits);
  parser.set_authenticated(false);
  InputBuffer input;
  Command command;
  input.Append(Multibulk({"AUTH", "secret"}) + Multibulk(Arguments(12, "x")));
  ASSERT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kCommand);
  parser.set_authenticated(true);
  EXPECT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kCommand);
  EXPECT_EQ(command.args.size(), 12u);
}

TEST(RequestLimitsTest, ConfiguredLimitsAreExact) {
  RequestLimits limits;
  limits.bulk_bytes_max = 10;
  limits.multibulk_length_max = 3;
  EXPECT_EQ(FeedInChunks(Multibulk({"a", "b", std::string(10, 'c')}), limits, 7).commands.size(), 1u);
  EXPECT_EQ(FeedInChunks(Multibulk({std::string(11, 'c')}), limits, 7).error,
            "Protocol error: invalid bulk length");
  EXPECT_EQ(FeedInChunks("*4\r\n", limits, 7).error, "Protocol error: invalid multibulk length");
}

TEST(RequestLimitsTest, LimitsCanChangeBetweenRequests) {
  RequestLimits limits;
  RequestParser parser(&limits);
  InputBuffer input;
  Command command;
  input.Append(Multibulk({"12345"}) + Multibulk({"12345"}));
  EXPECT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kCommand);
  limits.bulk_bytes_max = 4;
  EXPECT_EQ(parser.Next(&input, &command), RequestParser::Outcome::kError);
}

TEST(RequestLimitsTest, ARequestTooLargeIsRefusedBeforeItsBytesCome) {
  RequestLimits limits;
  limits.request_bytes_max = 1000;
  const Transcript got = FeedInChunks("*2\r\n$3\r\nGET\r\n$990\r\n", limits, 1);
  EXPECT_TRUE(got.too_large);
  EXPECT_TRUE(got.commands.empty());
  EXPECT_FALSE(FeedInChunks("*2\r\n$3\r\nGET\r\n$800\r\n", limits, 1).too_large);
}

TEST(RequestLimitsTest, ManySmallArgumentsCountWithTheirTables) {
  RequestLimits limits;
  limits.request_bytes_max = size_t{1} << 20;
  std::string bytes = "*1000000000\r\n";
  for (int i = 0; i < 100000; ++i) bytes += "$0\r\n\r\n";
  RequestParser parser(&limits);
  InputBuffer input;
  Transcript got;
  input.Append(bytes);
  EXPECT_FALSE(TakeCommands(&parser, &input, &got));
  EXPECT_TRUE(got.too_large);
  EXPECT_LE(parser.memory_bytes(), 2 * limits.request_bytes_max);
}

TEST(RequestLimitsTest, AnnouncedArgumentsCostNothingUntilTheyArrive) {
  const RequestLimits limits;
  RequestParser parser(&limits);
  InputBuffer input;
  Transcript got;
  input.Append("*2147483647\r\n$1\r\na\r\n");
  EXPECT_TRUE(TakeCommands(&parser, &input, &got));
  EXPECT_LE(parser.memory_bytes(), 4096u);
}

TEST(RequestLimitsTest, AFloodOfEmptyRequestsIsForgotten) {
  const RequestLimits limits;
  RequestParser parser(&limits);
  InputBuffer input;
  Transcript got;
  for (int i = 0; i < 1000; ++i) {
    for (const char* empty : {"\r\n", "\n", "   \r\n", "*0\r\n", "*-1\r\n"}) input.Append(empty);
    ASSERT_TRUE(TakeCommands(&parser, &input, &got));
    ASSERT_TRUE(input.empty());
  }
  EXPECT_TRUE(got.commands.empty());
  EXPECT_LE(input.capacity(), 2 * InputBuffer::kReadBytes);
}

}  // namespace
}  // namespace orrery::resp

#include <gtest/gtest.h>

#include "orrery/runtime/random.h"
#include "server/test_server.h"

namespace orrery::server {
namespace {

struct BadInput {
  std::string name;
  std::string bytes;
  std::string reply;  ///< all that the server says before it closes
};

const BadInput kBadInputs[] = {
    {"NegativeBulk", "*2\r\n$3\r\nget\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
    {"BulkNotANumber", "*2\r\n$x\r\n", "-ERR Protocol error: invalid bulk length\r\n"},
    {"NoBulk", "*1\r\nPING\r\n", "-ERR Protocol error: expected '$', got 'P'\r\n"},
    {"MultibulkNotANumber", "*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
    {"MultibulkTooLong", "*3000000000\r\n", "-ERR Protocol error: invalid multibulk length\r\n"},
    {"InlineTooLong", std::string(70'000, 'a'), "-ERR Protocol error: too big inline request\r\n"},
    {"HeaderTooLong", "*" + std::string(70'000, '1'), "-ERR Protocol error: too big mbulk count string\r\n"},
    {"UnbalancedQuotes", "set \"k v\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"},
    {"ErrorComesAfterEarlierReplies", "PING\r\n*1\r\n!\r\n",
     "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n"},
};

class BadInputTest : public testing::TestWithParam<BadInput> {};

TEST_P(BadInputTest, IsAnsweredAndClosedAndDisturbsNobody) {
  TestServer server("", 1);
  TestClient bystander(server.port());
  ASSERT_EQ(bystander.Ask("set k v"), "OK");
  TestClient bad(server.port());
  bad.Send(GetParam().bytes);
  EXPECT_EQ(bad.ReadToEnd(), GetParam().reply);
  EXPECT_EQ(bystander.Ask("get k"), "v");
}

INSTANTIATE_TEST_SUITE_P(Client, BadInputTest, testing::ValuesIn(kBadInputs),
                         [](const auto& test) { return test.param.name; });

TEST(BadInputTest, RandomBytesNeitherCrashNorDisturb) {
  const uint64_t seed = runtime::SystemSeed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  runtime::SeededRandom random(seed);
  TestServer server("", 2);
  TestClient bystander(server.port());
  const std::string_view pieces[] = {"*",   "$",      "\r\n",   "1",  "-1",   "3",        "get",
                                     "set", "client", "list",   "\n", "\"",   "reset",    "hello",
                                     "3",   "quit",   "config", " ",  "\x00", "999999999"};
  for (int round = 0; round < 200; ++round) {
    TestClient bad(server.port());
    std::string bytes;
    const uint64_t length = random.Below(60);
    for (uint64_t i = 0; i < length; ++i) {
      if (random.Below(4) == 0) {
        bytes += static_cast<char>(random.Below(256));
      } else {
        bytes += pieces[random.Below(std::size(pieces))];
      }
    }
    bad.Send(bytes);
    bad.EndInput();
    bad.ReadToEnd();
    ASSERT_EQ(bystander.Ask("ping"), "PONG");
  }
}

TEST(BadInputTest, WrongCommandsAreAnsweredAndTheConnectionGoesOn) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("foo a b"), "ERR unknown command 'foo', with args beginning with: 'a' 'b' ");
  EXPECT_EQ(client.Ask("get"), "ERR wrong number of arguments for 'get' command");
  EXPECT_EQ(client.Ask("client foo"), "ERR unknown subcommand 'foo'. Try CLIENT HELP.");
  EXPECT_EQ(client.Ask("config"), "ERR wrong number of arguments for 'config' command");
  EXPECT_EQ(client.Ask("config get"), "ERR wrong number of arguments for 'config|get' command");
  EXPECT_EQ(client.Ask("ping"), "PONG");
}

TEST(BadInputTest, UnauthenticatedClientsMaySendLittle) {
  TestServer server("requirepass secret\n");
  TestClient many(server.port());
  many.Send("*11\r\n");
  EXPECT_EQ(many.ReadToEnd(), "-ERR Protocol error: unauthenticated multibulk length\r\n");
  TestClient large(server.port());
  large.Send("*2\r\n$4\r\nauth\r\n$16385\r\n");
  EXPECT_EQ(large.ReadToEnd(), "-ERR Protocol error: unauthenticated bulk length\r\n");
}

}  // namespace
}  // namespace orrery::server

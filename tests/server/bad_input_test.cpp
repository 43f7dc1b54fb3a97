#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

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

TEST(BadInputTest, ConnectionsThatSpeakHttpAreClosedBeforeTheyDoHarm) {
  const std::string path = testing::TempDir() + "orrery_http_" + std::to_string(getpid());
  {
    TestServer server("logfile " + path + "\n", 1);
    TestClient bystander(server.port());
    for (const std::string& bytes :
         {std::string("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET evil 1\r\n"),
          std::string("GET / HTTP/1.1\r\nhOST: localhost\r\n\r\nSET evil 1\r\n"),
          TestClient::Encode("post / HTTP/1.1") + TestClient::Encode("set evil 1"),
          TestClient::Encode("Host: localhost") + TestClient::Encode("set evil 1")}) {
      TestClient web(server.port());
      web.Send(bytes);
      const std::string said = web.ReadToEnd();
      EXPECT_EQ(said.find("unknown command"), std::string::npos) << said;
      EXPECT_EQ(said.find("OK"), std::string::npos) << said;
    }
    EXPECT_EQ(bystander.Ask("get evil"), "(nil)");
    EXPECT_EQ(bystander.Ask("posts"), "ERR unknown command 'posts', with args beginning with: ");
  }
  std::ifstream in(path);
  const std::string log{std::istreambuf_iterator<char>(in), {}};
  const size_t warned = log.find("it speaks HTTP");
  EXPECT_NE(warned, std::string::npos) << log;
  EXPECT_EQ(log.find("it speaks HTTP", warned + 1), std::string::npos) << log;  // once a minute
  unlink(path.c_str());
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

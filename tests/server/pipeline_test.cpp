#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include "server/test_server.h"

namespace orrery::server {
namespace {

TEST(PipelineTest, AnswersASimpleClient) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("PING"), "PONG");
  EXPECT_EQ(client.Ask("set k v"), "OK");
  EXPECT_EQ(client.Ask("GET k"), "v");
  EXPECT_EQ(client.Ask("GET other"), "(nil)");
}

TEST(PipelineTest, RepliesComeInTheOrderOfTheCommands) {
  TestServer server;
  server.Hold("get");
  TestClient client(server.port());
  std::string bytes;
  for (int i = 0; i < 5; ++i) {
    bytes += TestClient::Encode("set k" + std::to_string(i) + " v" + std::to_string(i));
    bytes += TestClient::Encode("get k" + std::to_string(i));
    bytes += TestClient::Encode("ping p" + std::to_string(i));
  }
  client.Send(bytes);
  ASSERT_TRUE(TestServer::Until([&] { return server.Started() == 10; }));
  server.Release(true);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client.Reply(), "OK");
    EXPECT_EQ(client.Reply(), "v" + std::to_string(i));
    EXPECT_EQ(client.Reply(), "p" + std::to_string(i));
  }
}

TEST(PipelineTest, TakesAPipelineOfAnyDepth) {
  TestServer server;
  TestClient client(server.port());
  constexpr int kDepth = 20'000;
  std::string bytes;
  for (int i = 0; i < kDepth; ++i) bytes += TestClient::Encode("incr n");
  // As much as the socket takes goes out while replies are read.
  size_t sent = 0;
  for (int next = 1; next <= kDepth; ++next) {
    sent += client.SendSome(std::string_view(bytes).substr(sent));
    ASSERT_EQ(client.Reply(), std::to_string(next));
  }
}

TEST(PipelineTest, WindowBoundsWhatIsUnderWay) {
  TestServer server("", 1);
  server.Hold("get");
  TestClient client(server.port());
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes += TestClient::Encode("get k");
  client.Send(bytes);
  // Nobody knows yet how large the replies are.
  ASSERT_TRUE(TestServer::Until([&] { return server.runners[0]->waiting >= 16; }));
  server.OnEveryLoop([&](size_t) { EXPECT_EQ(server.runners[0]->waiting, 16u); });
  server.Release();
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(client.Reply(), "(nil)");
  // They are small.
  EXPECT_GT(server.runners[0]->max_waiting, 500u);
  EXPECT_LE(server.runners[0]->max_waiting, 1024u);
}

// What a command changes or shows of the node, it does in its place among its client's commands.

TEST(PipelineOrderTest, LaterCommandsSeeChangedSettings) {
  TestServer server("slowlog-log-slower-than 0\n", 2);
  TestClient client(server.port());
  for (int i = 10; i < 30; ++i) {
    const std::string value = std::to_string(i);
    client.Send(TestClient::Encode("config set slowlog-max-len " + value) +
                TestClient::Encode("config get slowlog-max-len"));
    EXPECT_EQ(client.Reply(), "OK");
    EXPECT_EQ(client.Reply(), "[slowlog-max-len " + value + "]");
  }
}

TEST(PipelineOrderTest, CountersAreOfTheCommandsBefore) {
  TestServer server("", 2);
  TestClient client(server.port());
  const std::string ping = TestClient::Encode("ping");
  const std::string info = TestClient::Encode("info commandstats");
  client.Send(ping + info + ping + TestClient::Encode("config resetstat") + ping + ping + info + ping);
  std::vector<std::string> replies(8);
  for (std::string& reply : replies) reply = client.Reply();
  EXPECT_NE(replies[1].find("cmdstat_ping:calls=1,"), std::string::npos) << replies[1];
  EXPECT_NE(replies[6].find("cmdstat_ping:calls=2,"), std::string::npos) << replies[6];
}

TEST(PipelineOrderTest, SlowlogHasTheCommandsBefore) {
  TestServer server("slowlog-log-slower-than 0\n", 1);
  TestClient client(server.port());
  client.Send(TestClient::Encode("get k") + TestClient::Encode("slowlog len"));
  EXPECT_EQ(client.Reply(), "(nil)");
  EXPECT_EQ(client.Reply(), "1");
}

TEST(PipelineOrderTest, APauseHoldsTheNextCommandBack) {
  TestServer server("", 2);
  TestClient client(server.port());
  TestClient other(server.port());
  client.Send(TestClient::Encode("client pause 600000 write") + TestClient::Encode("set k v") +
              TestClient::Encode("get k"));
  EXPECT_EQ(client.Reply(), "OK");
  EXPECT_TRUE(TestServer::Until(
      [&] { return other.Ask("info clients").find("blocked_clients:1\r\n") != std::string::npos; }));
  EXPECT_EQ(other.Ask("get k"), "(nil)");
  other.Send(TestClient::Encode("client unpause") + TestClient::Encode("set other v"));
  EXPECT_EQ(other.Reply(), "OK");
  EXPECT_EQ(other.Reply(), "OK");
  EXPECT_EQ(client.Reply(), "OK");
  EXPECT_EQ(client.Reply(), "v");
}

TEST(PipelineOrderTest, WhoKillsItselfRunsNothingMore) {
  TestServer server("", 2);
  TestClient client(server.port());
  client.Send(TestClient::Encode("client kill type normal skipme no") + TestClient::Encode("ping") +
              TestClient::Encode("set k v"));
  EXPECT_EQ(client.ReadToEnd(), ":1\r\n");
  EXPECT_EQ(server.Started(), 0u);
}

TEST(PipelineOrderTest, AListShowsClientsAsTheyAreThen) {
  TestServer server("", 2);
  TestClient client(server.port());
  client.Send(TestClient::Encode("client list") + TestClient::Encode("client setname later") +
              TestClient::Encode("client no-evict on") + TestClient::Encode("client list"));
  const std::string first = client.Reply();
  EXPECT_NE(first.find(" name= "), std::string::npos) << first;
  EXPECT_NE(first.find(" flags=N "), std::string::npos) << first;
  EXPECT_EQ(client.Reply(), "OK");
  EXPECT_EQ(client.Reply(), "OK");
  const std::string second = client.Reply();
  EXPECT_NE(second.find(" name=later "), std::string::npos) << second;
  EXPECT_NE(second.find(" flags=e "), std::string::npos) << second;
}

TEST(PipelineOrderTest, WhoAsksIsNotBlocked) {
  TestServer server("", 1);
  TestClient client(server.port());
  EXPECT_NE(client.Ask("info clients").find("blocked_clients:0\r\n"), std::string::npos);
}

TEST(PipelineTest, TakesCommandsInAnyPieces) {
  TestServer server;
  TestClient client(server.port());
  const std::string bytes = TestClient::Encode("set key value") + "GET key\r\n" + TestClient::Encode("ping");
  for (char c : bytes) client.Send(std::string(1, c));
  EXPECT_EQ(client.Reply(), "OK");
  EXPECT_EQ(client.Reply(), "value");
  EXPECT_EQ(client.Reply(), "PONG");
}

TEST(PipelineTest, TakesInlineCommandsAndBlankLines) {
  TestServer server;
  TestClient client(server.port());
  client.Send("\r\n\r\nset \"a key\" 'a value'\nget \"a key\"\r\n");
  EXPECT_EQ(client.Reply(), "OK");
  EXPECT_EQ(client.Reply(), "a value");
}

TEST(PipelineTest, PassesLargeValuesThrough) {
  TestServer server;
  TestClient client(server.port());
  const std::string large(5'000'000, 'x');
  EXPECT_EQ(client.Ask({"set", "k", large}), "OK");
  EXPECT_EQ(client.Ask("get k"), large);
}

TEST(PipelineTest, CommandsOverTheKeyspaceWaitForEarlierOnesAndHoldBackLaterOnes) {
  TestServer server("", 1);
  server.Hold("set");
  TestClient client(server.port());
  client.Send(TestClient::Encode("set a 1") + TestClient::Encode("dbsize") + TestClient::Encode("set b 1") +
              TestClient::Encode("dbsize"));
  ASSERT_TRUE(TestServer::Until([&] { return server.Started() >= 1; }));
  server.threads[0]->Call([&] { EXPECT_EQ(server.runners[0]->started, 1u); });
  server.Release();
  EXPECT_EQ(client.Reply(), "OK");
  EXPECT_EQ(client.Reply(), "1");
  EXPECT_EQ(client.Reply(), "OK");
  EXPECT_EQ(client.Reply(), "2");
}

TEST(PipelineTest, AnswersWhatWasSentBeforeTheClientEnded) {
  TestServer server;
  TestClient client(server.port());
  client.Send(TestClient::Encode("set k v") + TestClient::Encode("get k"));
  client.EndInput();
  EXPECT_EQ(client.ReadToEnd(), "+OK\r\n$1\r\nv\r\n");
}

TEST(PipelineTest, AnswersCommandsThatRunAloneAfterTheClientEnded) {
  TestServer server("", 1);
  server.Hold("dbsize");
  TestClient client(server.port());
  client.Send(TestClient::Encode("set k v") + TestClient::Encode("dbsize") + TestClient::Encode("get k") +
              TestClient::Encode("ping"));
  ASSERT_TRUE(TestServer::Until([&] { return server.Started() == 2; }));
  const std::string id = "1";
  client.EndInput();
  TestClient other(server.port());
  // Its end has been seen: it is read no more.
  ASSERT_TRUE(TestServer::Until(
      [&] { return other.Ask("client list id " + id).find(" events= ") != std::string::npos; }));
  server.Release();
  EXPECT_EQ(client.ReadToEnd(), "+OK\r\n:1\r\n$1\r\nv\r\n+PONG\r\n");
}

TEST(PipelineTest, WaitSaysWhatItHasWhenTheClientEnds) {
  TestServer server("", 1);
  TestClient client(server.port());
  client.Send(TestClient::Encode("set k v") + TestClient::Encode("wait 2 0") + TestClient::Encode("ping"));
  client.EndInput();
  EXPECT_EQ(client.ReadToEnd(), "+OK\r\n:1\r\n+PONG\r\n");
}

TEST(PipelineTest, ClientThatVanishesLeavesNothingBehind) {
  TestServer server("", 1);
  server.Hold("get");
  {
    TestClient client(server.port());
    client.Send(TestClient::Encode("get k"));
    ASSERT_TRUE(TestServer::Until([&] { return server.Started() == 1; }));
    const linger reset{1, 0};
    setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  }
  TestClient other(server.port());
  server.Release();
  EXPECT_TRUE(TestServer::Until(
      [&] { return other.Ask("info clients").find("connected_clients:1\r\n") != std::string::npos; }));
}

TEST(PipelineTest, ServesManyClientsOnAllLoops) {
  TestServer server("", 3);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 30; ++i) clients.push_back(std::make_unique<TestClient>(server.port()));
  for (auto& client : clients) client->Send(TestClient::Encode("incr n"));
  for (auto& client : clients) EXPECT_NE(client->Reply(), "(closed)");
  EXPECT_EQ(clients[0]->Ask("get n"), "30");
  for (const auto& runner : server.runners) EXPECT_GE(runner->started, 10u);
}

TEST(HiredisTest, WorksWithARealClientLibrary) {
  TestServer server;
  redisContext* context = redisConnect("127.0.0.1", server.port());
  ASSERT_NE(context, nullptr);
  ASSERT_EQ(context->err, 0);
  for (int i = 0; i < 1000; ++i) redisAppendCommand(context, "SET key:%d %b", i, "v\r\n\0x", size_t{5});
  for (int i = 0; i < 1000; ++i) redisAppendCommand(context, "GET key:%d", i);
  for (int i = 0; i < 2000; ++i) {
    redisReply* reply = nullptr;
    ASSERT_EQ(redisGetReply(context, reinterpret_cast<void**>(&reply)), REDIS_OK);
    EXPECT_EQ(std::string(reply->str, reply->len), i < 1000 ? "OK" : std::string("v\r\n\0x", 5));
    freeReplyObject(reply);
  }
  redisFree(context);
}

}  // namespace
}  // namespace orrery::server

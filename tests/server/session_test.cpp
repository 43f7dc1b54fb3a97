#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include "server/test_server.h"

namespace orrery::server {
namespace {

TEST(ListenTest, TakesClientsOfBothKindsOnEveryAddress) {
  TestServer server("bind * -::*");
  TestClient v4(server.port());
  EXPECT_EQ(v4.Ask("ping"), "PONG");
  redisContext* v6 = redisConnect("::1", server.port());
  ASSERT_NE(v6, nullptr);
  if (v6->err != 0) {
    redisFree(v6);
    GTEST_SKIP() << "this machine has no IPv6";
  }
  auto* reply = static_cast<redisReply*>(redisCommand(v6, "PING"));
  ASSERT_NE(reply, nullptr);
  EXPECT_STREQ(reply->str, "PONG");
  freeReplyObject(reply);
  redisFree(v6);
}

TEST(SessionTest, HelloChoosesTheProtocol) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("hello 4"), "NOPROTO unsupported protocol version");
  EXPECT_EQ(client.Ask("hello x"), "ERR Protocol version is not an integer or out of range");
  EXPECT_EQ(client.Ask("hello 3 a"), "ERR Syntax error in HELLO option 'a'");
  client.Send(TestClient::Encode("hello 3 setname me"));
  const auto reply = client.ReadReply();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->type(), resp::Value::Type::kMap);
  EXPECT_TRUE(TestClient::ToText(*reply).starts_with("[server redis version 7.0.15 proto 3 id "));
  EXPECT_EQ(client.Ask("client getname"), "me");
  client.Send(TestClient::Encode("config get port"));
  EXPECT_EQ(client.ReadReply()->type(), resp::Value::Type::kMap);
  client.Send(TestClient::Encode("client list"));
  EXPECT_EQ(client.ReadReply()->type(), resp::Value::Type::kVerbatim);
  client.Send(TestClient::Encode("hello 2"));
  EXPECT_EQ(client.ReadReply()->type(), resp::Value::Type::kArray);
}

TEST(SessionTest, CommandsCarryTheSession) {
  TestServer server("", 1);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("select 5"), "OK");
  EXPECT_EQ(client.Ask("client quorum r 1 w 3"), "OK");
  client.Ask("hello 3");
  client.Ask("get k");
  Caller caller;
  server.threads[0]->Call([&] { caller = server.runners[0]->last_caller; });
  EXPECT_EQ(caller.db, 5);
  EXPECT_EQ(caller.resp, 3);
  EXPECT_EQ(caller.read_quorum, 1);
  EXPECT_EQ(caller.write_quorum, 3);
  EXPECT_EQ(client.Ask("client quorum"), "[r 1 w 3]");
}

TEST(SessionTest, QuorumIsChecked) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("client quorum r"), "ERR syntax error");
  EXPECT_EQ(client.Ask("client quorum x 1"), "ERR syntax error");
  EXPECT_EQ(client.Ask("client quorum r 17"), "ERR quorum must be between 0 and 16");
  EXPECT_EQ(client.Ask("client quorum r 1 w x"), "ERR quorum must be between 0 and 16");
  EXPECT_EQ(client.Ask("client quorum"), "[r 0 w 0]");
}

TEST(SessionTest, SelectChecksTheDatabase) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("select 16"), "ERR DB index is out of range");
  EXPECT_EQ(client.Ask("select -1"), "ERR DB index is out of range");
  EXPECT_EQ(client.Ask("select a"), "ERR value is not an integer or out of range");
  EXPECT_EQ(client.Ask("select 15"), "OK");
}

TEST(SessionTest, ResetGoesBackToTheStart) {
  TestServer server("", 1);
  TestClient client(server.port());
  client.Ask("hello 3 setname me");
  client.Ask("select 5");
  EXPECT_EQ(client.Ask("reset"), "RESET");
  EXPECT_EQ(client.Ask("client getname"), "(nil)");
  client.Ask("get k");
  server.threads[0]->Call([&] {
    EXPECT_EQ(server.runners[0]->last_caller.db, 0);
    EXPECT_EQ(server.runners[0]->last_caller.resp, 2);
  });
}

TEST(SessionTest, QuitAnswersWhatWasBeforeAndCloses) {
  TestServer server;
  TestClient client(server.port());
  client.Send(TestClient::Encode("set k v") + TestClient::Encode("quit") + TestClient::Encode("ping"));
  EXPECT_EQ(client.ReadToEnd(), "+OK\r\n+OK\r\n");
}

TEST(SessionTest, PingAndEcho) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("ping hello"), "hello");
  EXPECT_EQ(client.Ask("ping a b"), "ERR wrong number of arguments for 'ping' command");
  EXPECT_EQ(client.Ask("echo hello"), "hello");
  EXPECT_EQ(client.Ask("readonly"), "OK");
  EXPECT_EQ(client.Ask("readwrite"), "OK");
  EXPECT_EQ(client.Ask("asking"), "OK");
  EXPECT_TRUE(client.Ask("monitor").starts_with("ERR MONITOR is not supported"));
}

TEST(AuthTest, PasswordOpensTheServer) {
  TestServer server("requirepass secret\n");
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("ping"), "NOAUTH Authentication required.");
  EXPECT_EQ(client.Ask("get k"), "NOAUTH Authentication required.");
  EXPECT_TRUE(client.Ask("hello 3").starts_with("NOAUTH HELLO must be called"));
  EXPECT_EQ(client.Ask("auth wrong"), "WRONGPASS invalid username-password pair or user is disabled.");
  EXPECT_EQ(client.Ask("auth somebody secret"),
            "WRONGPASS invalid username-password pair or user is disabled.");
  EXPECT_EQ(client.Ask("auth a b c"), "ERR syntax error");
  EXPECT_EQ(client.Ask("auth secret"), "OK");
  EXPECT_EQ(client.Ask("ping"), "PONG");
  EXPECT_EQ(client.Ask("auth default secret"), "OK");
  EXPECT_EQ(client.Ask("reset"), "RESET");
  EXPECT_EQ(client.Ask("ping"), "NOAUTH Authentication required.");
}

TEST(AuthTest, HelloAuthenticates) {
  TestServer server("requirepass secret\n");
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("hello 3 auth default no"),
            "WRONGPASS invalid username-password pair or user is disabled.");
  EXPECT_TRUE(client.Ask("hello 3 auth default secret setname x").starts_with("[server redis"));
  EXPECT_EQ(client.Ask("client getname"), "x");
}

TEST(AuthTest, WithoutPasswordAuthSaysSo) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(
      client.Ask("auth foo"),
      "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
      "configuration is correct?");
  EXPECT_EQ(client.Ask("auth default anything"), "OK");
}

TEST(AuthTest, NewPasswordHoldsForNewClients) {
  TestServer server;
  TestClient before(server.port());
  EXPECT_EQ(before.Ask("config set requirepass secret"), "OK");
  EXPECT_EQ(before.Ask("ping"), "PONG");
  TestClient after(server.port());
  EXPECT_EQ(after.Ask("ping"), "NOAUTH Authentication required.");
}

TEST(AuthTest, WithoutAPasswordAnyMoreEverybodyIsIn) {
  TestServer server("requirepass secret\n", 2);
  TestClient operator_(server.port());
  EXPECT_EQ(operator_.Ask("auth secret"), "OK");
  TestClient stranger(server.port());
  TestClient other(server.port());
  EXPECT_EQ(stranger.Ask("get k"), "NOAUTH Authentication required.");
  EXPECT_EQ(other.Ask("get k"), "NOAUTH Authentication required.");
  EXPECT_EQ(operator_.Ask({"config", "set", "requirepass", ""}), "OK");
  EXPECT_EQ(stranger.Ask({"set", "k", std::string(100'000, 'x')}), "OK");
  EXPECT_EQ(other.Ask("get k").size(), 100'000u);
  EXPECT_TRUE(stranger.Ask("hello 2").starts_with("[server redis"));
  // Whoever has never said it is out again with the next one; who came without one stays.
  TestClient late(server.port());
  EXPECT_EQ(late.Ask("ping"), "PONG");
  EXPECT_EQ(operator_.Ask("config set requirepass another"), "OK");
  EXPECT_EQ(stranger.Ask("get k"), "NOAUTH Authentication required.");
  EXPECT_EQ(late.Ask("ping"), "PONG");
  EXPECT_EQ(operator_.Ask("ping"), "PONG");
}

TEST(ClientReplyTest, ResetTurnsRepliesOn) {
  TestServer server;
  TestClient client(server.port());
  client.Send(TestClient::Encode("client reply off") + TestClient::Encode("ping") +
              TestClient::Encode("client reply foo") + TestClient::Encode("reset") +
              TestClient::Encode("ping 1"));
  EXPECT_EQ(client.Reply(), "RESET");
  EXPECT_EQ(client.Reply(), "1");
  client.Send(TestClient::Encode("client reply skip") + TestClient::Encode("reset") +
              TestClient::Encode("ping 2"));
  EXPECT_EQ(client.Reply(), "2");
}

TEST(ClientReplyTest, OffSkipAndOn) {
  TestServer server;
  TestClient client(server.port());
  client.Send(TestClient::Encode("client reply skip") + TestClient::Encode("ping 1") +
              TestClient::Encode("ping 2"));
  EXPECT_EQ(client.Reply(), "2");
  client.Send(TestClient::Encode("client reply skip") + TestClient::Encode("set k v") +
              TestClient::Encode("get k"));
  EXPECT_EQ(client.Reply(), "v");
  client.Send(TestClient::Encode("client reply off") + TestClient::Encode("ping 1") +
              TestClient::Encode("get k") + TestClient::Encode("nonsense") +
              TestClient::Encode("client list") + TestClient::Encode("client reply skip") +
              TestClient::Encode("client reply on") + TestClient::Encode("ping 3"));
  EXPECT_EQ(client.Reply(), "OK");
  EXPECT_EQ(client.Reply(), "3");
  EXPECT_EQ(client.Ask("client reply x"), "ERR syntax error");
}

}  // namespace
}  // namespace orrery::server

#include <gtest/gtest.h>

#include <regex.h>

#include <algorithm>

#include "server/test_server.h"

namespace orrery::server {
namespace {

std::string Field(const std::string& line, const std::string& name) {
  const std::string padded = " " + line;
  const size_t at = padded.find(" " + name + "=");
  if (at == std::string::npos) return "?";
  const size_t begin = at + name.size() + 2;
  return padded.substr(begin, padded.find_first_of(" \n", begin) - begin);
}

/// pattern: a POSIX extended regular expression for the whole text.
bool Matches(const std::string& text, const std::string& pattern) {
  regex_t compiled;
  EXPECT_EQ(regcomp(&compiled, ("^" + pattern + "$").c_str(), REG_EXTENDED | REG_NOSUB), 0);
  const bool matches = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return matches;
}

TEST(ClientListTest, ShowsTheClientsOfAllLoops) {
  TestServer server("", 3);
  TestClient a(server.port());
  TestClient b(server.port());
  TestClient c(server.port());
  a.Ask("client setname first");
  b.Ask("client setname second");
  c.Ask("client setname third");
  const std::string list = a.Ask("client list");
  const size_t first = list.find("name=first");
  const size_t second = list.find("name=second");
  const size_t third = list.find("name=third");
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_LT(third, list.size());
  EXPECT_EQ(std::count(list.begin(), list.end(), '\n'), 3);
}

TEST(ClientListTest, HasTheFieldsOfRedis) {
  TestServer server;
  TestClient client(server.port());
  client.Ask("client setinfo LIB-NAME mylib");
  client.Ask("client setinfo lib-ver 1.2");
  const std::string line = client.Ask("client info");
  const std::string expected =
      "id=# addr=127.0.0.1:# laddr=127.0.0.1:# fd=# name= age=# idle=# flags=N db=0 sub=0 psub=0 ssub=0 "
      "multi=-1 "
      "qbuf=# qbuf-free=# argv-mem=# multi-mem=0 rbs=# rbp=# obl=# oll=# omem=# tot-mem=# events=r "
      "cmd=client.info "
      "user=default redir=-1 resp=2 lib-name=mylib lib-ver=1.2\n";
  std::string pattern;
  for (char c : expected) pattern += c == '#' ? "[0-9]+" : std::string(1, c);
  EXPECT_TRUE(Matches(line, pattern)) << line;
  EXPECT_EQ(Field(line, "id"), client.Ask("client id"));
  // The command that runs is still in the buffer, and its own reply does not wait for another one.
  EXPECT_EQ(Field(line, "qbuf"), "26");
  EXPECT_EQ(Field(client.Ask("client list"), "qbuf"), "26");
  EXPECT_EQ(Field(client.Ask("client list"), "oll"), "0");
}

TEST(ClientListTest, FiltersByTypeAndId) {
  TestServer server;
  TestClient client(server.port());
  TestClient other(server.port());
  const std::string id = other.Ask("client id");
  EXPECT_EQ(Field(client.Ask("client list id " + id), "id"), id);
  EXPECT_EQ(client.Ask("client list type replica"), "");
  EXPECT_NE(client.Ask("client list type normal"), "");
  EXPECT_EQ(client.Ask("client list type x"), "ERR Unknown client type 'x'");
  EXPECT_EQ(client.Ask("client list id"), "ERR syntax error");
  EXPECT_EQ(client.Ask("client list id a"), "ERR Invalid client ID");
  EXPECT_EQ(client.Ask("client list id 0"), "");
  EXPECT_EQ(client.Ask("client list id -5 0"), "");
  EXPECT_EQ(Field(client.Ask("client list id 0 " + id), "id"), id);
  EXPECT_EQ(client.Ask("client list foo"), "ERR syntax error");
}

TEST(ClientNameTest, ChecksNames) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("client getname"), "(nil)");
  EXPECT_EQ(client.Ask({"client", "setname", "a b"}),
            "ERR Client names cannot contain spaces, newlines or special characters.");
  EXPECT_EQ(client.Ask("client setname me"), "OK");
  EXPECT_EQ(client.Ask("client getname"), "me");
  EXPECT_EQ(client.Ask({"client", "setname", ""}), "OK");
  EXPECT_EQ(client.Ask("client getname"), "(nil)");
  EXPECT_EQ(client.Ask("client setinfo foo x"), "ERR Unrecognized option 'foo'");
  EXPECT_EQ(client.Ask({"client", "setinfo", "lib-name", "a b"}),
            "ERR lib-name cannot contain spaces, newlines or special characters.");
  EXPECT_EQ(client.Ask("client no-evict on"), "OK");
  EXPECT_EQ(client.Ask("client no-evict x"), "ERR syntax error");
  EXPECT_EQ(client.Ask("client no-touch off"), "OK");
}

TEST(ClientTrackingTest, IsRefusedClearly) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_TRUE(client.Ask("client tracking on").starts_with("ERR client-side caching is not supported"));
  EXPECT_EQ(client.Ask("client tracking off"), "OK");
  EXPECT_EQ(client.Ask("client tracking off bcast noloop"), "OK");
  EXPECT_TRUE(client.Ask("client tracking on redirect 5 bcast prefix a prefix b noloop")
                  .starts_with("ERR client-side caching is not supported"));
  for (const char* wrong : {"foo", "on foo", "off foo", "on redirect", "on prefix"}) {
    EXPECT_EQ(client.Ask("client tracking " + std::string(wrong)), "ERR syntax error");
  }
  EXPECT_EQ(client.Ask("client tracking on redirect x"), "ERR value is not an integer or out of range");
  EXPECT_EQ(client.Ask("client getredir"), "-1");
}

TEST(ClientKillTest, ByAddressInTheOldForm) {
  TestServer server;
  TestClient client(server.port());
  TestClient victim(server.port());
  const std::string address = Field(victim.Ask("client info"), "addr");
  EXPECT_EQ(client.Ask("client kill 1.2.3.4:55"), "ERR No such client");
  EXPECT_EQ(client.Ask("client kill " + address), "OK");
  EXPECT_TRUE(victim.IsClosedByServer());
  EXPECT_EQ(client.Ask("ping"), "PONG");
}

TEST(ClientKillTest, ByEveryFilter) {
  TestServer server("", 3);
  TestClient client(server.port());
  TestClient a(server.port());
  TestClient b(server.port());
  TestClient c(server.port());
  const std::string id = a.Ask("client id");
  EXPECT_EQ(client.Ask("client kill id " + id), "1");
  EXPECT_TRUE(a.IsClosedByServer());
  const std::string info = b.Ask("client info");
  EXPECT_EQ(client.Ask("client kill addr " + Field(info, "addr") + " id 99999"), "0");
  EXPECT_EQ(client.Ask("client kill addr " + Field(info, "addr") + " laddr " + Field(info, "laddr")), "1");
  EXPECT_TRUE(b.IsClosedByServer());
  EXPECT_EQ(client.Ask("client kill type replica"), "0");
  EXPECT_EQ(client.Ask("client kill maxage 1000"), "0");
  EXPECT_EQ(client.Ask("client kill user default"), "1");
  EXPECT_TRUE(c.IsClosedByServer());
  EXPECT_EQ(client.Ask("client kill type normal skipme no"), "1");
  EXPECT_TRUE(client.IsClosedByServer());
}

TEST(ClientKillTest, RefusesBadFilters) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("client kill id x"), "ERR client-id should be greater than 0");
  EXPECT_EQ(client.Ask("client kill foo bar"), "ERR syntax error");
  EXPECT_EQ(client.Ask("client kill type foo"), "ERR Unknown client type 'foo'");
  EXPECT_EQ(client.Ask("client kill user nobody"), "ERR No such user 'nobody'");
  EXPECT_EQ(client.Ask("client kill skipme x"), "ERR syntax error");
  EXPECT_EQ(client.Ask("client kill id 1 skipme"), "ERR syntax error");
}

TEST(ClientPauseTest, HoldsEverythingBackUntilItsEnd) {
  TestServer server("", 2);
  TestClient client(server.port());
  TestClient other(server.port());
  EXPECT_EQ(client.Ask("client pause 100"), "OK");
  other.Send(TestClient::Encode("set k v") + TestClient::Encode("get k"));
  client.Send(TestClient::Encode("ping"));
  EXPECT_EQ(other.Reply(), "OK");
  EXPECT_EQ(other.Reply(), "v");
  EXPECT_EQ(client.Reply(), "PONG");
}

TEST(ClientPauseTest, OfWritesLetsReadsThroughAndIsEndedByUnpause) {
  TestServer server("", 2);
  TestClient client(server.port());
  TestClient writer(server.port());
  EXPECT_EQ(client.Ask("client pause 600000 write"), "OK");
  writer.Send(TestClient::Encode("get k") + TestClient::Encode("set k v") + TestClient::Encode("get k"));
  EXPECT_EQ(writer.Reply(), "(nil)");
  EXPECT_TRUE(TestServer::Until(
      [&] { return client.Ask("info clients").find("blocked_clients:1\r\n") != std::string::npos; }));
  EXPECT_EQ(client.Ask("get k"), "(nil)");
  EXPECT_EQ(client.Ask("client unpause"), "OK");
  EXPECT_EQ(writer.Reply(), "OK");
  EXPECT_EQ(writer.Reply(), "v");
}

TEST(ClientPauseTest, OfWritesHoldsWhatMayWriteInRedis) {
  TestServer server("", 1);
  TestClient client(server.port());
  TestClient counter(server.port());
  EXPECT_EQ(client.Ask("client pause 600000 write"), "OK");
  counter.Send(TestClient::Encode("pfcount h"));
  EXPECT_TRUE(TestServer::Until(
      [&] { return client.Ask("info clients").find("blocked_clients:1\r\n") != std::string::npos; }));
  EXPECT_EQ(server.Started(), 0u);
  EXPECT_EQ(client.Ask("client unpause"), "OK");
  EXPECT_EQ(counter.Reply(), "ERR the fake does not know 'pfcount'");
}

TEST(ClientCommandTest, TooManyArgumentsAreToldAsInRedis) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("client pause 1 write x"),
            "ERR unknown subcommand or wrong number of arguments for 'pause'. Try CLIENT HELP.");
  EXPECT_EQ(client.Ask("client UNBLOCK x error x"),
            "ERR unknown subcommand or wrong number of arguments for 'UNBLOCK'. Try CLIENT HELP.");
  EXPECT_EQ(client.Ask("slowlog get 1 2"),
            "ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.");
}

TEST(ClientPauseTest, RefusesBadArguments) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("client pause x"), "ERR timeout is not an integer or out of range");
  EXPECT_EQ(client.Ask("client pause -1"), "ERR timeout is negative");
  EXPECT_EQ(client.Ask("client pause 10 x"), "ERR CLIENT PAUSE mode must be WRITE or ALL");
}

}  // namespace
}  // namespace orrery::server

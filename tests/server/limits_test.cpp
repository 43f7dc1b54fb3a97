#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

#include "server/test_server.h"

namespace orrery::server {
namespace {

/// The value of one field of CLIENT LIST for the client with this id.
std::string FieldOf(TestClient& asking, const std::string& id, const std::string& field) {
  const std::string list = asking.Ask("client list id " + id);
  const size_t at = list.find(" " + field + "=");
  if (at == std::string::npos) return {};
  const size_t begin = at + field.size() + 2;
  return list.substr(begin, list.find(' ', begin) - begin);
}

TEST(LimitsTest, SlowReaderIsBounded) {
  TestServer server("", 1);
  TestClient writer(server.port());
  ASSERT_EQ(writer.Ask({"set", "big", std::string(100'000, 'x')}), "OK");
  TestClient slow(server.port(), 4096);
  const std::string id = slow.Ask("client id");
  const std::string request = TestClient::Encode("get big");
  // Asks for a gigabyte, as far as the server takes the requests.
  size_t sent = 0;
  for (int round = 0; round < 200 && sent < 10'000; ++round) {
    std::string batch;
    for (int i = 0; i < 50; ++i) batch += request;
    if (slow.SendSome(batch) == batch.size()) sent += 50;
    const uint64_t output = std::stoull(FieldOf(writer, id, "omem"));
    ASSERT_LE(output, 40u << 20);
  }
  EXPECT_EQ(writer.Ask("ping"), "PONG");
  // It is only held back: once it reads, it gets everything.
  for (size_t i = 0; i < 500; ++i) {
    const auto reply = slow.ReadReply();
    ASSERT_TRUE(reply.has_value());
    ASSERT_EQ(reply->text().size(), 100'000u);
  }
}

TEST(LimitsTest, LargeRepliesUnreadAreBoundedFromTheFirstOn) {
  TestServer server("", 1);
  TestClient writer(server.port());
  ASSERT_EQ(writer.Ask({"set", "big", std::string(500'000, 'x')}), "OK");
  TestClient slow(server.port(), 4096);
  const std::string id = slow.Ask("client id");
  const auto ask_for_50_megabytes = [&](size_t started) {
    std::string batch;
    for (int i = 0; i < 100; ++i) batch += TestClient::Encode("get big");
    ASSERT_TRUE(slow.Send(batch));
    // The server has looked at them, and takes no more.
    ASSERT_TRUE(TestServer::Until([&] {
      return server.Started() > started && server.runners[0]->waiting == 0 &&
             FieldOf(writer, id, "events").find('r') == std::string::npos;
    }));
    EXPECT_LE(std::stoull(FieldOf(writer, id, "omem")), 16u << 20);
    EXPECT_LE(server.Started() - started, 16u);
  };
  ask_for_50_megabytes(server.Started());
  for (int i = 0; i < 100; ++i) ASSERT_EQ(slow.ReadReply()->text().size(), 500'000u);
  // After a rest, small replies from before say nothing.
  std::string small;
  for (int i = 0; i < 3000; ++i) small += TestClient::Encode("get k");
  ASSERT_TRUE(slow.Send(small));
  for (int i = 0; i < 3000; ++i) ASSERT_EQ(slow.Reply(), "(nil)");
  ASSERT_TRUE(TestServer::Until([&] { return FieldOf(writer, id, "rbs") == "0"; }));
  ask_for_50_megabytes(server.Started());
}

TEST(LimitsTest, TheFirst16KilobytesOfOutputAreNotCounted) {
  TestServer server("client-output-buffer-limit normal 1 2 3\n", 1);
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("ping"), "PONG");
  ASSERT_EQ(client.Ask({"set", "k", std::string(16'000, 'x')}), "OK");
  EXPECT_EQ(client.Ask("get k").size(), 16'000u);
  ASSERT_EQ(client.Ask({"set", "k", std::string(20'000, 'x')}), "OK");
  client.Send(TestClient::Encode("get k"));
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(LimitsTest, OutputBeyondTheHardLimitClosesTheClient) {
  TestServer server("client-output-buffer-limit normal 200kb 0 0\n", 1);
  TestClient writer(server.port());
  ASSERT_EQ(writer.Ask({"set", "big", std::string(150'000, 'x')}), "OK");
  TestClient slow(server.port(), 4096);
  std::string batch;
  for (int i = 0; i < 200; ++i) batch += TestClient::Encode("get big");
  slow.SendSome(batch);
  EXPECT_TRUE(TestServer::Until([&] {
    return writer.Ask("info stats").find("client_output_buffer_limit_disconnections:1\r\n") !=
           std::string::npos;
  }));
  EXPECT_EQ(writer.Ask("ping"), "PONG");
}

TEST(LimitsTest, OutputBeyondTheSoftLimitClosesTheClientAfterItsTime) {
  TestServer server("client-output-buffer-limit normal 0 200kb 1\n", 1);
  TestClient writer(server.port());
  ASSERT_EQ(writer.Ask({"set", "big", std::string(150'000, 'x')}), "OK");
  TestClient slow(server.port(), 4096);
  std::string batch;
  for (int i = 0; i < 200; ++i) batch += TestClient::Encode("get big");
  slow.SendSome(batch);
  EXPECT_TRUE(TestServer::Until([&] {
    return writer.Ask("info stats").find("client_output_buffer_limit_disconnections:1\r\n") !=
           std::string::npos;
  }));
}

TEST(LimitsTest, AClientWithoutThePasswordMayLeaveLittleUnread) {
  TestServer server("requirepass secret\n", 1);
  TestClient stranger(server.port(), 4096);
  std::string batch;
  for (int i = 0; i < 50'000; ++i) batch += TestClient::Encode("get k");
  stranger.SendSome(batch);
  TestClient other(server.port());
  EXPECT_EQ(other.Ask("auth secret"), "OK");
  EXPECT_TRUE(TestServer::Until([&] {
    return other.Ask("info stats").find("client_output_buffer_limit_disconnections:1\r\n") !=
           std::string::npos;
  }));
}

TEST(LimitsTest, ManySmallRepliesUnreadAreBounded) {
  TestServer server("", 1);
  TestClient slow(server.port(), 4096);
  TestClient other(server.port());
  const std::string id = slow.Ask("client id");
  std::string batch;
  for (int i = 0; i < 10'000; ++i) batch += "PING\r\n";
  for (int i = 0; i < 300; ++i) slow.SendSome(batch);
  ASSERT_TRUE(TestServer::Until([&] { return FieldOf(other, id, "events").find('r') == std::string::npos; }));
  EXPECT_LE(std::stoull(FieldOf(other, id, "omem")), 2u << 20);
  EXPECT_LE(std::stoull(FieldOf(other, id, "tot-mem")), 3u << 20);
}

TEST(LimitsTest, RequestBeyondTheQueryBufferLimitClosesTheClient) {
  TestServer server("client-query-buffer-limit 1mb\n", 1);
  TestClient client(server.port());
  client.Send("*2\r\n$3\r\nget\r\n$5000000\r\n");
  client.Send(std::string(2'000'000, 'x'));
  EXPECT_EQ(client.ReadToEnd(), "");
  TestClient other(server.port());
  EXPECT_NE(other.Ask("info stats").find("client_query_buffer_limit_disconnections:1\r\n"),
            std::string::npos);
}

TEST(LimitsTest, ArgumentBeyondProtoMaxBulkLenIsAProtocolError) {
  TestServer server("proto-max-bulk-len 1mb\n");
  TestClient client(server.port());
  client.Send("*2\r\n$3\r\nget\r\n$1048577\r\n");
  EXPECT_EQ(client.ReadToEnd(), "-ERR Protocol error: invalid bulk length\r\n");
}

TEST(LimitsTest, ProtoMaxBulkLenChangesLive) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("config set proto-max-bulk-len 1mb"), "OK");
  client.Send("*2\r\n$3\r\nget\r\n$1048577\r\n");
  EXPECT_EQ(client.Reply(), "ERR Protocol error: invalid bulk length");
}

class FileLimit {
 public:
  explicit FileLimit(rlim_t soft) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit low{std::min(soft, before_.rlim_max), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
  }
  ~FileLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
  rlim_t hard() const { return before_.rlim_max; }
  static rlim_t Now() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
  }

 private:
  rlimit before_{};
};

TEST(LimitsTest, MaxclientsRaisesTheLimitOfOpenFilesOrIsRefused) {
  constexpr uint64_t kOwnFiles = 2048;
  TestServer server("maxclients 100\n");
  const FileLimit limit(1024);
  ASSERT_GT(limit.hard(), kOwnFiles + 200) << "the system allows too few open files for this test";
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("config set maxclients 200"), "OK");
  EXPECT_EQ(FileLimit::Now(), 200 + kOwnFiles);
  EXPECT_EQ(client.Ask("config set timeout 7 maxclients 4294967295"),
            "ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not "
            "able to handle the specified number of clients, try with " +
                std::to_string(limit.hard() - kOwnFiles));
  EXPECT_EQ(client.Ask("config get maxclients"), "[maxclients 200]");
  EXPECT_EQ(client.Ask("config get timeout"), "[timeout 0]");
  EXPECT_EQ(client.Ask("config set maxclients 50"), "OK");
  EXPECT_EQ(FileLimit::Now(), 200 + kOwnFiles);
}

TEST(LimitsTest, MoreThanMaxclientsAreTurnedAway) {
  TestServer server("maxclients 2\n");
  auto first = std::make_unique<TestClient>(server.port());
  TestClient second(server.port());
  EXPECT_EQ(first->Ask("ping"), "PONG");
  EXPECT_EQ(second.Ask("ping"), "PONG");
  TestClient third(server.port());
  EXPECT_EQ(third.ReadToEnd(), "-ERR max number of clients reached\r\n");
  EXPECT_NE(second.Ask("info stats").find("rejected_connections:1\r\n"), std::string::npos);
  first.reset();
  EXPECT_TRUE(TestServer::Until([&] {
    TestClient next(server.port());
    next.Send(TestClient::Encode("ping"));
    return next.Reply() == "PONG";
  }));
}

TEST(LimitsTest, IdleClientIsClosedAfterTimeout) {
  TestServer server("timeout 1\n", 1);
  TestClient idle(server.port());
  EXPECT_EQ(idle.Ask("ping"), "PONG");
  EXPECT_TRUE(idle.IsClosedByServer());
}

TEST(LimitsTest, ClientThatWaitsForItsReplyIsNotIdle) {
  TestServer server("timeout 1\n", 1);
  server.Hold("get");
  TestClient waiting(server.port());
  waiting.Send(TestClient::Encode("get k"));
  TestClient idle(server.port());
  EXPECT_TRUE(idle.IsClosedByServer());
  server.Release();
  EXPECT_EQ(waiting.Reply(), "(nil)");
}

TEST(LimitsTest, ProtectedModeLetsLoopbackIn) {
  TestServer server("protected-mode yes\n");
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("ping"), "PONG");
}

}  // namespace
}  // namespace orrery::server

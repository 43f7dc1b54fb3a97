#include <gtest/gtest.h>

#include "server/test_server.h"

namespace orrery::server {
namespace {

TEST(ShutdownTest, AnswersWhatIsUnderWayThenCloses) {
  TestServer server("", 2);
  server.Hold("get");
  TestClient busy(server.port());
  TestClient idle(server.port());
  EXPECT_EQ(idle.Ask("ping"), "PONG");
  busy.Send(TestClient::Encode("set k v") + TestClient::Encode("get k"));
  ASSERT_TRUE(TestServer::Until([&] { return server.Started() == 2; }));
  server.server->BeginShutdown();
  EXPECT_TRUE(idle.IsClosedByServer());
  EXPECT_FALSE(server.stopped);
  server.Release();
  EXPECT_EQ(busy.ReadToEnd(), "+OK\r\n$1\r\nv\r\n");
  EXPECT_TRUE(TestServer::Until([&] { return server.stopped.load(); }));
}

TEST(ShutdownTest, AcceptsNobodyAnyMore) {
  TestServer server("", 1);
  server.Hold("get");
  TestClient busy(server.port());
  TestClient idle(server.port());
  busy.Send(TestClient::Encode("get k"));
  EXPECT_EQ(idle.Ask("ping"), "PONG");
  server.server->BeginShutdown();
  EXPECT_TRUE(idle.IsClosedByServer());
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_NE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  close(fd);
  server.Release();
}

TEST(ShutdownTest, GivesUpOnSlowCommandsAfterItsTimeout) {
  TestServer server("shutdown-timeout 1\n", 2);
  server.Hold("get");
  TestClient busy(server.port());
  busy.Send(TestClient::Encode("get k"));
  ASSERT_TRUE(TestServer::Until([&] { return server.Started() == 1; }));
  server.server->BeginShutdown();
  EXPECT_TRUE(busy.IsClosedByServer());
  EXPECT_TRUE(TestServer::Until([&] { return server.stopped.load(); }));
  server.Release();
}

// Between two lives of one process.
TEST(ShutdownTest, ClientsThatAreClosedForANewLifeAreNoShutdownUnlessOneComes) {
  TestServer server("", 2);
  server.Hold("get");
  TestClient busy(server.port());
  TestClient idle(server.port());
  busy.Send(TestClient::Encode("get k"));
  ASSERT_TRUE(TestServer::Until([&] { return server.Started() == 1; }));
  server.server->CloseClients();
  EXPECT_TRUE(idle.IsClosedByServer());
  EXPECT_FALSE(server.server->is_shutting_down());
  server.server->BeginShutdown();
  EXPECT_TRUE(server.server->is_shutting_down());
  EXPECT_FALSE(server.stopped);
  server.Release();
  EXPECT_EQ(busy.ReadToEnd(), "$-1\r\n");
  EXPECT_TRUE(TestServer::Until([&] { return server.stopped.load(); }));
}

TEST(ShutdownTest, CommandWithoutReply) {
  for (const char* command : {"shutdown", "shutdown nosave", "shutdown now force", "shutdown save"}) {
    TestServer server("", 2);
    TestClient client(server.port());
    client.Send(TestClient::Encode(command));
    EXPECT_EQ(client.ReadToEnd(), "") << command;
    EXPECT_TRUE(TestServer::Until([&] { return server.stopped.load(); })) << command;
  }
}

TEST(ShutdownTest, SaveThatFailsPreventsItUnlessForced) {
  TestServer server("", 1);
  server.OnEveryLoop([&](size_t i) { server.nodes[i]->checkpoint_status = Status::IoError("no space"); });
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("shutdown save"), "ERR Errors trying to SHUTDOWN. Check logs.");
  EXPECT_EQ(client.Ask("ping"), "PONG");
  EXPECT_FALSE(server.stopped);
  EXPECT_EQ(client.Ask("shutdown save force"), "(closed)");
  EXPECT_TRUE(TestServer::Until([&] { return server.stopped.load(); }));
}

TEST(ShutdownTest, IsAbortedWhileItSaves) {
  TestServer server("", 1);
  server.OnEveryLoop([&](size_t i) { server.nodes[i]->hold_checkpoint = true; });
  TestClient stopping(server.port());
  TestClient other(server.port());
  stopping.Send(TestClient::Encode("shutdown save"));
  ASSERT_TRUE(TestServer::Until([&] {
    bool saving = false;
    server.OnEveryLoop([&](size_t i) { saving = server.nodes[i]->checkpoint != nullptr; });
    return saving;
  }));
  EXPECT_EQ(other.Ask("shutdown abort"), "OK");
  EXPECT_EQ(other.Ask("shutdown abort"), "ERR No shutdown in progress.");
  server.OnEveryLoop([&](size_t i) { server.nodes[i]->checkpoint(Status::Ok()); });
  EXPECT_EQ(stopping.Ask("ping"), "ERR Errors trying to SHUTDOWN. Check logs.");
  EXPECT_EQ(other.Ask("ping"), "PONG");
  EXPECT_FALSE(server.stopped);
}

TEST(ShutdownTest, RefusesBadArguments) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Ask("shutdown foo"), "ERR syntax error");
  EXPECT_EQ(client.Ask("shutdown save nosave"), "ERR syntax error");
  EXPECT_EQ(client.Ask("shutdown abort now"), "ERR syntax error");
  EXPECT_EQ(client.Ask("shutdown abort"), "ERR No shutdown in progress.");
}

}  // namespace
}  // namespace orrery::server

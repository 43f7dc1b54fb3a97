#include "orrery/runtime/uv/tcp.h"

#include "orrery/runtime/uv/listen_address.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <vector>

#include "orrery/runtime/random.h"
#include "orrery/runtime/uv/loop_thread.h"
#include "runtime/loop_driver.h"

namespace orrery::runtime {
namespace {

/// Collects what arrives, in regions as small as the test wants.
class Collector : public TcpHandler {
 public:
  explicit Collector(size_t region = 65536) : room_(region) {}

  std::span<char> PrepareRead(size_t) override { return room_; }
  void OnRead(size_t n) override {
    received.append(room_.data(), n);
    if (on_read) on_read();
  }
  void OnConnected() override { connected = true; }
  void OnDrained() override { ++drained; }
  bool OnEnd() override {
    ended = true;
    return keep_at_end;
  }
  void OnClosed(const Status& reason) override {
    closed = reason;
    if (on_closed) on_closed();
  }

  std::string received;
  bool connected = false;
  bool ended = false;
  bool keep_at_end = false;
  int drained = 0;
  std::optional<Status> closed;
  std::function<void()> on_read;
  std::function<void()> on_closed;
  std::unique_ptr<TcpConnection> tcp;

 private:
  std::vector<char> room_;
};

class TcpTest : public testing::Test {
 protected:
  /// Listens and adopts the first connection into server.
  void Listen() {
    auto made = TcpListener::Listen(loop, {},
                                    [this](int fd) { server.tcp = TcpConnection::Adopt(loop, fd, server); });
    ASSERT_TRUE(made.ok());
    listener = std::move(*made);
  }

  void ConnectPair() {
    Listen();
    client.tcp = TcpConnection::Connect(loop, "127.0.0.1", listener->port(), client);
    ASSERT_REACHED(loop, client.connected && server.tcp != nullptr);
  }

  UvLoop loop;
  std::unique_ptr<TcpListener> listener;
  Collector server;
  Collector client;
};

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  SeededRandom random(size);
  for (char& c : bytes) c = static_cast<char>(random.Next64());
  return bytes;
}

TEST_F(TcpTest, EchoesThroughTinyReadRegions) {
  Collector tiny(7);
  auto made = TcpListener::Listen(loop, {}, [&](int fd) { tiny.tcp = TcpConnection::Adopt(loop, fd, tiny); });
  ASSERT_TRUE(made.ok());
  size_t echoed = 0;
  tiny.on_read = [&] {
    tiny.tcp->Write(tiny.received.substr(echoed));
    echoed = tiny.received.size();
  };
  client.tcp = TcpConnection::Connect(loop, "127.0.0.1", (*made)->port(), client);
  const std::string sent = Pattern(20'000);
  client.tcp->Write(sent);  // before it is connected
  ASSERT_REACHED(loop, client.received.size() == sent.size());
  EXPECT_EQ(client.received, sent);
}

TEST_F(TcpTest, KeepsWhatTheOtherSideDoesNotReadAndDeliversItLater) {
  ConnectPair();
  client.tcp->PauseRead();
  const std::string piece = Pattern(1 << 20);
  std::string sent;
  // Far more than the kernel buffers.
  for (int i = 0; i < 32; ++i) {
    sent += piece;
    server.tcp->Write(piece);
    server.tcp->Buffer() += "small";
    sent += "small";
  }
  EXPECT_EQ(server.tcp->queued_bytes(), sent.size());
  bool turned = false;
  loop.Post([&] { turned = true; });
  ASSERT_REACHED(loop, turned && server.tcp->queued_bytes() < sent.size());
  EXPECT_GT(server.tcp->queued_bytes(), 0u);
  EXPECT_EQ(server.drained, 0);
  EXPECT_EQ(client.received, "");
  client.tcp->ResumeRead();
  ASSERT_REACHED(loop, client.received.size() == sent.size());
  EXPECT_TRUE(client.received == sent);
  EXPECT_EQ(server.tcp->queued_bytes(), 0u);
  EXPECT_EQ(server.drained, 1);
}

TEST_F(TcpTest, SendsNothingBeforeTheTurnEnds) {
  ConnectPair();
  size_t queued_at_end = 0;
  loop.OnTurnEnd([&] { queued_at_end = std::max(queued_at_end, server.tcp->queued_bytes()); });
  loop.Post([&] {
    for (int i = 0; i < 100; ++i) server.tcp->Write("x");
  });
  ASSERT_REACHED(loop, client.received.size() == 100);
  EXPECT_EQ(queued_at_end, 100u);
}

TEST_F(TcpTest, SendsWhatATurnEndCallbackWrites) {
  ConnectPair();
  bool reply_now = false;
  loop.OnTurnEnd([&] {
    if (std::exchange(reply_now, false)) server.tcp->Write("committed");
  });
  loop.Post([&] { reply_now = true; });
  ASSERT_REACHED(loop, client.received == "committed");
}

TEST(TurnTest, EndsWhenItHasReadEnoughBeforeItLooksAtTheNextConnection) {
  UvLoop loop;
  Collector readers[2];
  int writers[2] = {-1, -1};
  for (size_t i = 0; i < 2; ++i) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    readers[i].tcp = TcpConnection::Adopt(loop, ends[0], readers[i]);
    writers[i] = ends[1];
  }
  size_t before = 0;
  std::vector<size_t> at_ends;
  const auto received = [&] { return readers[0].received.size() + readers[1].received.size(); };
  loop.OnTurnEnd([&] { at_ends.push_back(received() - before); });
  const auto send_to_both = [&] {
    before = received();
    at_ends.clear();
    for (const int writer : writers) ASSERT_EQ(write(writer, "abcd", 4), 4);
    ASSERT_REACHED(loop, received() == before + 8);
  };
  send_to_both();
  EXPECT_EQ(at_ends, std::vector<size_t>{8});
  loop.LimitTurn(4);
  send_to_both();
  EXPECT_EQ(at_ends, (std::vector<size_t>{4, 8}));
  loop.LimitTurn(5);
  send_to_both();
  EXPECT_EQ(at_ends, std::vector<size_t>{8});
  for (const int writer : writers) close(writer);
}

TEST_F(TcpTest, TellsAnOrderlyEnd) {
  ConnectPair();
  server.tcp->Write("last words");
  server.tcp->CloseWhenFlushed();
  ASSERT_REACHED(loop, client.closed && server.closed);
  EXPECT_EQ(client.received, "last words");
  EXPECT_TRUE(client.closed->ok());
  EXPECT_TRUE(server.closed->ok());
  EXPECT_TRUE(client.ended);
}

TEST_F(TcpTest, CanAnswerAfterTheOtherSideHasEnded) {
  ConnectPair();
  server.keep_at_end = true;
  const int fd = client.tcp->Detach();
  ASSERT_GE(fd, 0);
  ASSERT_EQ(shutdown(fd, SHUT_WR), 0);
  Collector half;
  half.tcp = TcpConnection::Adopt(loop, fd, half);
  ASSERT_REACHED(loop, server.ended);
  server.tcp->Write("answer");
  server.tcp->CloseWhenFlushed();
  ASSERT_REACHED(loop, half.closed && server.closed);
  EXPECT_EQ(half.received, "answer");
}

TEST_F(TcpTest, MayBeClosedAndDestroyedInItsOwnCallbacks) {
  ConnectPair();
  server.on_read = [&] { server.tcp.reset(); };
  client.on_closed = [&] { client.tcp.reset(); };
  client.tcp->Write("x");
  ASSERT_REACHED(loop, client.closed.has_value());
  EXPECT_EQ(server.received, "x");
  EXPECT_FALSE(server.closed);
  EXPECT_EQ(client.tcp, nullptr);
}

TEST_F(TcpTest, CallsBackNoMoreOnceClosed) {
  ConnectPair();
  client.tcp->Write("unread");
  server.tcp->Write("unsent");
  server.tcp->Close();
  server.tcp->Write("ignored");
  EXPECT_EQ(server.tcp->queued_bytes(), 0u);
  EXPECT_TRUE(server.tcp->closed());
  EXPECT_EQ(server.tcp->Detach(), -1);
  EXPECT_EQ(server.tcp->PeerAddress(), "?:0");
  ASSERT_REACHED(loop, client.closed.has_value());
  EXPECT_EQ(server.received, "");
  EXPECT_EQ(client.received, "");
  EXPECT_FALSE(server.closed);
}

TEST_F(TcpTest, ReportsARefusedConnectionLater) {
  Listen();
  const uint16_t port = listener->port();
  listener.reset();
  client.tcp = TcpConnection::Connect(loop, "127.0.0.1", port, client);
  EXPECT_FALSE(client.closed);
  ASSERT_REACHED(loop, client.closed.has_value());
  EXPECT_EQ(client.closed->message(),
            "cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST_F(TcpTest, ConnectsToANameWhicheverOfItsAddressesListens) {
  Listen();
  client.tcp = TcpConnection::Connect(loop, "localhost", listener->port(), client);
  client.tcp->Write("hello");
  ASSERT_REACHED(loop, server.received == "hello");
}

TEST_F(TcpTest, ReportsANameThatDoesNotResolve) {
  client.tcp = TcpConnection::Connect(loop, "no-such-host.invalid", 1, client);
  ASSERT_REACHED(loop, client.closed.has_value());
  EXPECT_EQ(client.closed->code(), StatusCode::kIoError);
  EXPECT_EQ(client.closed->message().rfind("cannot resolve no-such-host.invalid:1: ", 0), 0u);
}

TEST_F(TcpTest, MayBeDestroyedWhileItsNameIsLookedUp) {
  client.tcp = TcpConnection::Connect(loop, "localhost", 1, client);
  client.tcp.reset();
  bool turned = false;
  loop.Post([&] { turned = true; });
  ASSERT_REACHED(loop, turned);
  EXPECT_FALSE(client.closed);
}

TEST_F(TcpTest, ReportsAnAddressInUse) {
  Listen();
  const auto second = TcpListener::Listen(loop, {.port = listener->port()}, [](int) {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), StatusCode::kIoError);
  EXPECT_EQ(second.status().message(),
            "cannot listen on 127.0.0.1:" + std::to_string(listener->port()) + ": Address already in use");
}

TEST_F(TcpTest, AnAddressThatTheMachineLacksIsToldApart) {
  const auto none = TcpListener::Listen(loop, {.host = "198.51.100.77"}, [](int) {});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.status().code(), StatusCode::kUnavailable);
}

TEST_F(TcpTest, AnyOfIpv6LeavesIpv4ToAnotherListenerOfThePort) {
  const auto v4 = TcpListener::Listen(loop, {.host = "0.0.0.0"}, [](int) {});
  ASSERT_TRUE(v4.ok()) << v4.status().message();
  const auto v6 = TcpListener::Listen(loop, {.host = "::", .port = (*v4)->port()}, [](int) {});
  if (!v6.ok() && v6.status().code() == StatusCode::kUnavailable) GTEST_SKIP() << "this machine has no IPv6";
  EXPECT_TRUE(v6.ok()) << v6.status().message();
}

TEST(ListenAddressTest, ReadsTheWordsOfBind) {
  const auto check = [](std::string_view word, std::string_view host, bool optional, bool any) {
    const ListenAddress address = ParseListenAddress(word);
    EXPECT_EQ(address.host, host);
    EXPECT_EQ(address.optional, optional) << word;
    EXPECT_EQ(address.IsAny(), any) << word;
  };
  check("10.0.0.1", "10.0.0.1", false, false);
  check("-::1", "::1", true, false);
  check("*", "0.0.0.0", false, true);
  check("-*", "0.0.0.0", true, true);
  check("::*", "::", false, true);
  check("-::*", "::", true, true);
  check("node1", "node1", false, false);
}

TEST(ListenAddressTest, TheAddressOfThisMachineIsOneThatItCanListenOn) {
  UvLoop loop;
  const std::string host = AddressOfThisMachine();
  EXPECT_FALSE(ParseListenAddress(host).IsAny());
  const auto listener = TcpListener::Listen(loop, {.host = host}, [](int) {});
  EXPECT_TRUE(listener.ok()) << host << ": " << listener.status().message();
}

TEST_F(TcpTest, TellsAddresses) {
  ConnectPair();
  EXPECT_EQ(client.tcp->PeerAddress(), "127.0.0.1:" + std::to_string(listener->port()));
  EXPECT_EQ(server.tcp->PeerAddress(), client.tcp->LocalAddress());
  EXPECT_EQ(server.tcp->PeerHost(), "127.0.0.1");
}

TEST_F(TcpTest, PausedListenerLeavesConnectionsWaiting) {
  Listen();
  listener->Pause();
  client.tcp = TcpConnection::Connect(loop, "127.0.0.1", listener->port(), client);
  ASSERT_REACHED(loop, client.connected);
  bool turned = false;
  loop.Post([&] { turned = true; });
  ASSERT_REACHED(loop, turned);
  EXPECT_EQ(server.tcp, nullptr);
  listener->Resume();
  ASSERT_REACHED(loop, server.tcp != nullptr);
}

TEST_F(TcpTest, RestsWithoutFileDescriptorsAndAcceptsWhenThereAreSome) {
  Listen();
  listener->Pause();
  client.tcp = TcpConnection::Connect(loop, "127.0.0.1", listener->port(), client);
  ASSERT_REACHED(loop, client.connected);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = dup(0);
  close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  listener->Resume();
  const bool rested = RunUntil(loop, [&] { return listener->exhausted_count() > 0; });
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(rested);
  EXPECT_EQ(server.tcp, nullptr);
  ASSERT_REACHED(loop, server.tcp != nullptr);
}

TEST_F(TcpTest, MovesConnectionsToAnotherLoop) {
  // The other loop echoes on its own thread; this one accepts, and takes part only until it has moved the
  // socket.
  LoopThread other;
  Collector echo;
  echo.on_read = [&] { echo.tcp->Write(std::exchange(echo.received, "")); };
  other.Start();
  auto made = TcpListener::Listen(loop, {}, [&](int fd) {
    other.loop().Post([&, fd] { echo.tcp = TcpConnection::Adopt(other.loop(), fd, echo); });
  });
  ASSERT_TRUE(made.ok());
  client.tcp = TcpConnection::Connect(loop, "127.0.0.1", (*made)->port(), client);
  const std::string sent = Pattern(300'000);
  client.tcp->Write(sent);
  ASSERT_REACHED(loop, client.received.size() == sent.size());
  EXPECT_EQ(client.received, sent);
  other.Call([&] { echo.tcp.reset(); });
}

TEST_F(TcpTest, MovesAConnectionInUseWithoutLosingBytes) {
  LoopThread other;
  Collector moved;
  moved.on_read = [&] { moved.tcp->Write(std::exchange(moved.received, "")); };
  other.Start();
  ConnectPair();
  server.tcp->Write("from here ");
  const int fd = server.tcp->Detach();
  ASSERT_GE(fd, 0);
  other.loop().Post([&, fd] { moved.tcp = TcpConnection::Adopt(other.loop(), fd, moved); });
  client.tcp->Write("and from there");
  ASSERT_REACHED(loop, client.received == "from here and from there");
  other.Call([&] { moved.tcp.reset(); });
}

}  // namespace
}  // namespace orrery::runtime

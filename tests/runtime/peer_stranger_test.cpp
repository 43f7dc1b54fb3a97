// What a node does about connections that are no peers, and about peers that misbehave.
#include <gtest/gtest.h>

#include <optional>

#include "orrery/runtime/uv/tcp.h"
#include "runtime/frame_codec.h"
#include "runtime/greeting.h"
#include "runtime/loop_driver.h"
#include "runtime/peer_node.h"

namespace orrery::runtime {
namespace {

/// A bare socket to a node's peer port, which speaks what the test lets it speak.
class Stranger : public TcpHandler {
 public:
  Stranger(UvLoop& loop, uint16_t port) : tcp(TcpConnection::Connect(loop, "127.0.0.1", port, *this)) {}

  std::span<char> PrepareRead(size_t) override { return room_; }
  void OnRead(size_t n) override { received.append(room_.data(), n); }
  void OnClosed(const Status&) override { closed = true; }

  std::string received;
  bool closed = false;
  std::unique_ptr<TcpConnection> tcp;

 private:
  std::array<char, 4096> room_;
};

/// A peer that greets properly and then does as the test says.
class HandMadePeer : public Stranger {
 public:
  HandMadePeer(UvLoop& loop, const TestNode& node, uint64_t id)
      : Stranger(loop, node.listener->port()), greeting_(Identity(id), std::string(kNonceBytes, 'n')) {
    tcp->Write(greeting_.hello());
  }

  bool Greet() {
    switch (greeting_.Feed(std::exchange(received, ""))) {
      case DialGreeting::Step::kChallenged:
        tcp->Write(greeting_.Proof(0, 0));
        return false;
      case DialGreeting::Step::kWelcomed:
        return true;
      default:
        return false;
    }
  }

 private:
  static GreetingIdentity Identity(uint64_t id) {
    const PeerTransportOptions options = TestOptions(id);
    return {options.cluster, options.secret, options.id, options.incarnation, 0, 1};
  }
  DialGreeting greeting_;
};

struct Garbage {
  std::string bytes;
  std::string described;
};

TEST(PeerStrangerTest, RefusesGarbageWithOneClearLineAndGoesOn) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2));
  const Garbage table[] = {
      {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "not an Orrery node but an HTTP request"},
      {"*1\r\n$4\r\nPING\r\n", "not an Orrery node but a Redis client"},
      {std::string(100'000, 'A'), "not an Orrery node but something that begins with \"AAAAAAAAAAAAAAAA\""},
      {std::string("\xd0ORRERY\n\x01\xf0\xff", 11), "not an Orrery node but a malformed greeting"},
      {"\n", "not an Orrery node but something that begins with \".\""},
  };
  for (const Garbage& garbage : table) {
    Stranger stranger(loop, a.listener->port());
    stranger.tcp->Write(garbage.bytes);
    ASSERT_REACHED(loop, stranger.closed && a.Noted(garbage.described));
    EXPECT_EQ(stranger.received, "");
  }
  EXPECT_EQ(a.notes.size(), std::size(table));
  EXPECT_EQ(a.listener->refused_count(), std::size(table));
  b.transport->SetPeers({a.address()});
  ASSERT_REACHED(loop, a.Up(b) && b.Up(a));
}

TEST(PeerStrangerTest, DoesNotWaitForeverForAGreeting) {
  UvLoop loop;
  PeerTransportOptions options = TestOptions(1);
  options.greeting_timeout_ms = 20;
  TestNode a(loop, options, {.greeting_timeout_ms = 20});
  Stranger silent(loop, a.listener->port());
  ASSERT_REACHED(loop, silent.closed);
  EXPECT_TRUE(a.Noted("refused a peer at 127.0.0.1: no greeting within 20 ms"));
  // One that begins properly and then says no more is on the transport's loop by then.
  HandMadePeer half(loop, a, 2);
  ASSERT_REACHED(loop, half.closed);
  EXPECT_FALSE(half.received.empty());
  EXPECT_EQ(a.transport->stats().refused, 1u);
  EXPECT_EQ(a.listener->unproven_count(), 0);
}

TEST(PeerStrangerTest, GivesUpOnAnAddressThatNeverAnswers) {
  UvLoop loop;
  PeerTransportOptions options = TestOptions(1);
  options.greeting_timeout_ms = 20;
  TestNode a(loop, options);
  auto mute = TcpListener::Listen(loop, {}, [](int fd) { CloseSocket(fd); });
  ASSERT_TRUE(mute.ok());
  (*mute)->Pause();
  a.transport->Dial("127.0.0.1", (*mute)->port());
  ASSERT_REACHED(loop, a.Noted("no greeting within 20 ms"));
}

TEST(PeerStrangerTest, BoundsHowManyHaveNotProvenThemselves) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1), {.greeting_timeout_ms = 60'000, .unproven_max = 4}),
      b(loop, TestOptions(2));
  std::vector<std::unique_ptr<Stranger>> crowd;
  for (int i = 0; i < 10; ++i) crowd.push_back(std::make_unique<Stranger>(loop, a.listener->port()));
  const auto closed = [&] {
    return std::count_if(crowd.begin(), crowd.end(), [](const auto& stranger) { return stranger->closed; });
  };
  ASSERT_REACHED(loop, closed() == 6);
  EXPECT_EQ(a.listener->unproven_count(), 4);
  EXPECT_TRUE(a.Noted("refused a peer: 4 connections have not proven themselves yet"));
  b.transport->SetPeers({a.address()});
  crowd.clear();
  ASSERT_REACHED(loop, a.Up(b) && a.listener->unproven_count() == 0);
}

TEST(PeerStrangerTest, BreaksTheLinkAtACorruptFrameAndCountsIt) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1));
  HandMadePeer peer(loop, a, 2);
  ASSERT_REACHED(loop, peer.Greet());
  std::string bytes;
  AppendFrameHeader(0, FrameType::kMessage, "good", &bytes);
  bytes += "good";
  AppendFrameHeader(1, FrameType::kMessage, "bad", &bytes);
  bytes += "bat";
  AppendFrameHeader(2, FrameType::kMessage, "never seen", &bytes);
  peer.tcp->Write(bytes + "never seen");
  ASSERT_REACHED(loop, peer.closed && a.downs.size() == 1);
  EXPECT_EQ(a.frames[NodeId{2}], std::vector<std::string>{"good"});
  EXPECT_EQ(a.transport->stats().corrupt_links, 1u);
  EXPECT_TRUE(
      a.Noted("lost the link to node 0000000000000002 at 127.0.0.1: frame 1: the payload's checksum"));
}

TEST(PeerStrangerTest, BreaksTheLinkOfAPeerThatReadsTooSlowly) {
  UvLoop loop;
  PeerTransportOptions options = TestOptions(1);
  options.output_max_bytes = 8 << 20;
  TestNode a(loop, options);
  HandMadePeer peer(loop, a, 2);
  ASSERT_REACHED(loop, peer.Greet());
  peer.tcp->PauseRead();
  int sent = 0;
  size_t most_queued = 0;
  loop.OnTurnEnd([&] {
    if (!a.is_up[NodeId{2}]) return;
    a.transport->Send(NodeId{2}, std::string(1 << 20, 'x'));
    ++sent;
    for (const PeerLink& link : a.transport->Links()) most_queued = std::max(most_queued, link.queued_bytes);
    loop.Post([] {});
  });
  loop.Post([] {});
  ASSERT_REACHED(loop, !a.downs.empty());
  EXPECT_GT(sent, 8);
  EXPECT_LE(most_queued, options.output_max_bytes);
  EXPECT_EQ(a.transport->stats().slow_links, 1u);
  EXPECT_TRUE(a.Noted("it reads too slowly"));
}

TEST(PeerStrangerTest, ReplacesALinkOfWhichThePeerSaysThatItIsDead) {
  // The hand-made peer keeps its socket open but has, as far as the node of the same name knows, lost it.
  UvLoop loop;
  TestNode a(loop, TestOptions(1));
  HandMadePeer forgotten(loop, a, 2);
  ASSERT_REACHED(loop, forgotten.Greet());
  ASSERT_REACHED(loop, a.ups.size() == 1);
  TestNode b(loop, TestOptions(2));
  b.transport->SetPeers({a.address()});
  ASSERT_REACHED(loop, a.ups.size() == 2 && b.Up(a) && a.Up(b));
  EXPECT_TRUE(forgotten.closed || RunUntil(loop, [&] { return forgotten.closed; }));
  EXPECT_EQ(a.downs.size(), 1u);
  EXPECT_TRUE(b.downs.empty());
}

TEST(PeerStrangerTest, ReportsARedisServerAtAPeersAddress) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1));
  std::vector<std::unique_ptr<TcpConnection>> adopted;
  struct Redis : TcpHandler {
    std::span<char> PrepareRead(size_t) override { return room; }
    void OnRead(size_t) override {}
    void OnClosed(const Status&) override {}
    std::array<char, 512> room;
  } redis;
  auto listener = TcpListener::Listen(loop, {}, [&](int fd) {
    adopted.push_back(TcpConnection::Adopt(loop, fd, redis));
    adopted.back()->Write("-ERR unknown command 'ORRERY'\r\n");
  });
  ASSERT_TRUE(listener.ok());
  a.transport->SetPeers({{NodeId{2}, "127.0.0.1", (*listener)->port()}});
  ASSERT_REACHED(loop, a.Noted("it is not an Orrery node but a Redis server"));
  a.transport->SetPeers({});
  adopted.clear();
}

}  // namespace
}  // namespace orrery::runtime

#include "orrery/runtime/uv/peer_transport.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "orrery/runtime/uv/loop_thread.h"
#include "orrery/runtime/uv/tcp.h"
#include "runtime/loop_driver.h"
#include "runtime/peer_node.h"

namespace orrery::runtime {
namespace {

void Introduce(std::initializer_list<TestNode*> nodes) {
  std::vector<PeerAddress> addresses;
  for (const TestNode* node : nodes) addresses.push_back(node->address());
  for (TestNode* node : nodes) node->transport->SetPeers(addresses);
}

TEST(PeerTransportTest, CarriesFramesBothWaysInOrderOverOneLink) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2));
  Introduce({&a, &b});
  ASSERT_REACHED(loop, a.Up(b) && b.Up(a));
  std::vector<std::string> sent;
  SeededRandom random(1);
  for (int i = 0; i < 300; ++i) {
    sent.emplace_back(random.Below(i % 50 == 0 ? 3'000'000 : 200), static_cast<char>('a' + i % 26));
    a.Send(b, sent.back());
    b.Send(a, sent.back());
  }
  ASSERT_REACHED(loop, a.frames[b.id].size() == sent.size() && b.frames[a.id].size() == sent.size());
  EXPECT_TRUE(a.frames[b.id] == sent);
  EXPECT_TRUE(b.frames[a.id] == sent);
  ASSERT_EQ(a.transport->Links().size(), 1u);
  EXPECT_NE(a.transport->Links()[0].dialled, b.transport->Links()[0].dialled);
  EXPECT_EQ(a.transport->stats().frames_sent, sent.size());
  EXPECT_EQ(a.transport->stats().frames_received, sent.size());
  EXPECT_EQ(a.listener->unproven_count(), 0);
}

// A frame that takes seconds is no silence.
TEST(PeerTransportTest, TellsOfTheBytesOfAFrameThatIsOnItsWay) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2));
  Introduce({&a, &b});
  ASSERT_REACHED(loop, a.Up(b) && b.Up(a));
  a.Send(b, std::string(48 << 20, 'x'));
  ASSERT_REACHED(loop, b.parts[a.id] > 0);
  EXPECT_TRUE(b.frames[a.id].empty());
  ASSERT_REACHED(loop, b.frames[a.id].size() == 1);
  const size_t parts = b.parts[a.id];
  EXPECT_GE(parts, 8u);
  a.Send(b, "short");
  ASSERT_REACHED(loop, b.frames[a.id].size() == 2);
  EXPECT_EQ(b.parts[a.id], parts);
}

// As a turn does that lasts long: what it has sent arrives before it ends.
TEST(PeerTransportTest, OutputCanBePushedBeforeTheTurnEnds) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2));
  Introduce({&a, &b});
  ASSERT_REACHED(loop, a.Up(b) && b.Up(a));
  size_t queued = 0, left = 1;
  loop.Post([&] {
    a.Send(b, "early");
    queued = a.transport->Links().at(0).queued_bytes;
    a.transport->PushOutput();
    left = a.transport->Links().at(0).queued_bytes;
  });
  ASSERT_REACHED(loop, b.frames[a.id].size() == 1);
  EXPECT_GT(queued, 0u);
  EXPECT_EQ(left, 0u);
  // What the socket does not take waits, and nothing is lost.
  loop.Post([&] {
    a.Send(b, std::string(48 << 20, 'x'));
    a.transport->PushOutput();
    a.Send(b, "later");
    a.transport->PushOutput();
    left = a.transport->Links().at(0).queued_bytes;
  });
  ASSERT_REACHED(loop, b.frames[a.id].size() == 3);
  EXPECT_GT(left, 0u);
  EXPECT_EQ(b.frames[a.id].back(), "later");
}

// A long frame stands still in a turn that lasts long, and heartbeats behind it, unless the socket is asked again.
TEST(PeerTransportTest, ALongFrameGoesOnAsTheOtherSideReads) {
  UvLoop loop;
  LoopThread other;
  TestNode a(loop, TestOptions(1));
  std::unique_ptr<TestNode> b;
  std::atomic<bool> done = false;
  other.Start();
  other.Call([&] {
    b = std::make_unique<TestNode>(other.loop(), TestOptions(2));
    b->transport->SetPeers({a.address()});
    b->on_change = [&] { done = b->frames[a.id].size() == 1; };
  });
  ASSERT_REACHED(loop, a.is_up[NodeId{2}]);
  loop.Post([&] {
    a.transport->Send(NodeId{2}, std::string(48 << 20, 'x'));
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done && std::chrono::steady_clock::now() < until) a.transport->PushOutput();
    EXPECT_TRUE(done);
  });
  ASSERT_REACHED(loop, done.load());
  other.Call([&] { b.reset(); });
  other.Stop();
}

TEST(PeerTransportTest, AFrameThatIsTooLongEndsTheLinkAndNothingElse) {
  UvLoop loop;
  PeerTransportOptions options = TestOptions(1);
  options.frame_max_bytes = 1000;
  TestNode a(loop, options), b(loop, TestOptions(2));
  Introduce({&a, &b});
  ASSERT_REACHED(loop, a.Up(b) && b.Up(a));
  a.Send(b, std::string(1001, 'x'));
  ASSERT_REACHED(loop, a.downs.size() == 1 && a.Up(b) && b.Up(a));
  EXPECT_TRUE(a.Noted("a frame of 1001 bytes would be too long"));
  a.Send(b, std::string(1000, 'x'));
  ASSERT_REACHED(loop, b.frames[a.id].size() == 1);
}

TEST(PeerTransportTest, ListensOnEveryAddressAndWithoutThoseThatTheMachineMayLack) {
  UvLoop loop;
  PeerListenerOptions both;
  both.addresses = {{"198.51.100.77", true}, {"0.0.0.0", false}, {"::", true}};
  TestNode a(loop, TestOptions(1), both), b(loop, TestOptions(2)), c(loop, TestOptions(3));
  b.transport->SetPeers({a.AddressAt("127.0.0.1")});
  ASSERT_REACHED(loop, b.Up(a) && a.Up(b));

  if (!TcpListener::Listen(loop, {.host = "::1"}, [](int) {}).ok()) GTEST_SKIP() << "this machine has no IPv6";
  c.transport->SetPeers({a.AddressAt("::1")});
  ASSERT_REACHED(loop, c.Up(a) && a.Up(c));
}

TEST(PeerTransportTest, AnAddressThatMustBeThereIsAnError) {
  UvLoop loop;
  RecordingTransport node(loop, TestOptions(1));
  PeerListenerOptions options;
  options.addresses = {{"127.0.0.1", false}, {"198.51.100.77", false}};
  EXPECT_FALSE(PeerListener::Listen(loop, options, {node.transport.get()}, [](const std::string&) {}).ok());
  options.addresses = {{"198.51.100.77", true}};
  EXPECT_FALSE(PeerListener::Listen(loop, options, {node.transport.get()}, [](const std::string&) {}).ok());
}

TEST(PeerTransportTest, LinksEveryPairOfThree) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2)), c(loop, TestOptions(3));
  Introduce({&a, &b, &c});
  ASSERT_REACHED(loop, a.Up(b) && a.Up(c) && b.Up(a) && b.Up(c) && c.Up(a) && c.Up(b));
  for (TestNode* from : {&a, &b, &c}) {
    for (TestNode* to : {&a, &b, &c}) from->Send(*to, "from " + from->id.ToHex());
  }
  ASSERT_REACHED(loop, a.frames.size() == 2 && b.frames.size() == 2 && c.frames.size() == 2);
  EXPECT_EQ(c.frames[b.id], std::vector<std::string>{"from " + b.id.ToHex()});
}

TEST(PeerTransportTest, DialsThatCrossLeaveOneLinkThatNeverFlaps) {
  UvLoop loop;
  for (int round = 0; round < 100; ++round) {
    TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2));
    Introduce({&a, &b});
    ASSERT_REACHED(loop, a.Up(b) && b.Up(a));
    a.Send(b, "1");
    b.Send(a, "2");
    ASSERT_REACHED(loop, a.frames[b.id].size() == 1 && b.frames[a.id].size() == 1);
    ASSERT_TRUE(a.downs.empty() && b.downs.empty());
    ASSERT_NE(a.transport->Links()[0].dialled, b.transport->Links()[0].dialled);
  }
}

TEST(PeerTransportTest, OneSideKnowingTheAddressIsEnough) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2));
  b.transport->SetPeers({a.address()});
  ASSERT_REACHED(loop, a.Up(b) && b.Up(a));
  a.Send(b, "answer");
  ASSERT_REACHED(loop, b.frames[a.id].size() == 1);
}

TEST(PeerTransportTest, ReportsARestartedPeerDownAndUpWithItsNewIncarnation) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1));
  auto b = std::make_unique<TestNode>(loop, TestOptions(2, 5));
  const PeerListenerOptions same_port{.port = b->listener->port()};
  Introduce({&a, b.get()});
  ASSERT_REACHED(loop, a.Up(*b) && b->Up(a));
  b.reset();
  ASSERT_REACHED(loop, a.downs.size() == 1);
  b = std::make_unique<TestNode>(loop, TestOptions(2, 6), same_port);
  ASSERT_REACHED(loop, a.ups.size() == 2);
  EXPECT_EQ(a.ups[0], std::pair(NodeId{2}, uint64_t{5}));
  EXPECT_EQ(a.ups[1], std::pair(NodeId{2}, uint64_t{6}));
  EXPECT_TRUE(a.Noted("lost the link to node 0000000000000002 at 127.0.0.1: "));
}

TEST(PeerTransportTest, ReplacesTheLinkOfAPeerThatCameBackBeforeItsEndWasSeen) {
  // The old life's sockets stay open, as after a power failure; only the new life tells that it is over.
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), old_life(loop, TestOptions(2, 5)), new_life(loop, TestOptions(2, 6));
  old_life.transport->SetPeers({a.address()});
  ASSERT_REACHED(loop, a.Up(old_life));
  new_life.transport->SetPeers({a.address()});
  ASSERT_REACHED(loop, a.ups.size() == 2);
  EXPECT_EQ(a.ups[1].second, 6u);
  EXPECT_EQ(a.downs.size(), 1u);
}

TEST(PeerTransportTest, TellsANodeFromAnOldDiskImageItsLastIncarnation) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2, 5));
  a.known_incarnations[b.id] = 77;
  b.on_greeted = [&](const PeerGreeting& greeting) {
    if (greeting.known_incarnation == 77) b.transport->SetIncarnation(78);
  };
  Introduce({&a, &b});
  ASSERT_REACHED(loop, !a.ups.empty() && a.ups.back().second == 78 && a.Up(b) && b.Up(a));
  // The link of the life that never was is not reported where it was found out.
  EXPECT_EQ(b.ups.size(), 1u);
  EXPECT_EQ(b.greetings.front().incarnation, 1u);
}

TEST(PeerTransportTest, RefusesAWrongSecretOnBothSides) {
  UvLoop loop;
  PeerTransportOptions other = TestOptions(2);
  other.secret = "guess";
  TestNode a(loop, TestOptions(1)), b(loop, other);
  Introduce({&a, &b});
  ASSERT_REACHED(loop, a.Noted("no link to node 0000000000000002 at 127.0.0.1:" +
                               std::to_string(b.listener->port()) + ": the shared secrets differ") &&
                           a.Noted("refused a peer at 127.0.0.1: the shared secrets differ"));
  EXPECT_TRUE(a.ups.empty() && b.ups.empty());
  EXPECT_GE(a.transport->stats().refused, 1u);
}

TEST(PeerTransportTest, RefusesAnotherCluster) {
  UvLoop loop;
  PeerTransportOptions other = TestOptions(2);
  other.cluster = "prod";
  TestNode a(loop, TestOptions(1)), b(loop, other);
  b.transport->SetPeers({a.address()});
  ASSERT_REACHED(loop, a.Noted("refused a peer at 127.0.0.1: its cluster is \"prod\", ours is \"test\"") &&
                           b.Noted("it belongs to another cluster"));
  EXPECT_TRUE(a.ups.empty() && b.ups.empty());
}

TEST(PeerTransportTest, DoesNotTakeOneNodeForAnother) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2));
  a.transport->SetPeers({{NodeId{3}, "127.0.0.1", b.listener->port()}});
  ASSERT_REACHED(loop, a.Noted("node 0000000000000002 listens there instead"));
  EXPECT_TRUE(a.ups.empty() && b.ups.empty());
}

TEST(PeerTransportTest, LearnsTheNodeBehindASeedAndKeepsTheLink) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1));
  auto b = std::make_unique<TestNode>(loop, TestOptions(2));
  const PeerListenerOptions same_port{.port = b->listener->port()};
  a.transport->Dial("127.0.0.1", same_port.port);
  a.transport->Dial("127.0.0.1", a.listener->port());  // seeds often name the node itself
  ASSERT_REACHED(loop, a.Up(*b) && b->Up(a));
  EXPECT_EQ(a.greetings[0].id, b->id);
  EXPECT_TRUE(a.greetings[0].dialled);
  EXPECT_EQ(a.greetings[0].dialled_address.port, same_port.port);
  b.reset();
  ASSERT_REACHED(loop, a.downs.size() == 1);
  b = std::make_unique<TestNode>(loop, TestOptions(2), same_port);
  ASSERT_REACHED(loop, a.Up(*b));
  EXPECT_EQ(a.ups.size(), 2u);
}

TEST(PeerTransportTest, WaitsForASeedThatStartsLater) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1));
  auto b = std::make_unique<TestNode>(loop, TestOptions(2));
  const PeerListenerOptions same_port{.port = b->listener->port()};
  b.reset();
  a.transport->Dial("127.0.0.1", same_port.port);
  ASSERT_REACHED(loop, a.Noted("Connection refused"));
  b = std::make_unique<TestNode>(loop, TestOptions(2), same_port);
  ASSERT_REACHED(loop, a.Up(*b) && b->Up(a));
  a.transport->StopDialing("127.0.0.1", same_port.port);
  EXPECT_TRUE(a.Up(*b));
}

TEST(PeerTransportTest, TwoNodesThatAreEachOthersSeedsGetOneLink) {
  UvLoop loop;
  for (int round = 0; round < 30; ++round) {
    TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2));
    a.transport->Dial("127.0.0.1", b.listener->port());
    b.transport->Dial("127.0.0.1", a.listener->port());
    a.transport->SetPeers({b.address()});
    ASSERT_REACHED(loop, a.Up(b) && b.Up(a));
    a.Send(b, "1");
    ASSERT_REACHED(loop, b.frames[a.id].size() == 1);
    ASSERT_TRUE(a.downs.empty() && b.downs.empty());
  }
}

TEST(PeerTransportTest, LetsGoOfAPeerThatIsNoLongerListed) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2));
  a.transport->SetPeers({b.address()});
  ASSERT_REACHED(loop, a.Up(b) && b.Up(a));
  a.transport->SetPeers({});
  EXPECT_TRUE(a.downs.empty());  // told later, not from inside
  ASSERT_REACHED(loop, !a.Up(b) && !b.Up(a));
  a.Send(b, "nobody there");
  EXPECT_EQ(a.transport->stats().frames_dropped, 1u);
}

TEST(PeerTransportTest, FollowsAPeerToItsNewAddress) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2));
  a.transport->SetPeers({{b.id, "127.0.0.1", 1}});
  ASSERT_REACHED(loop, a.Noted("Connection refused"));
  a.transport->SetPeers({b.address()});
  ASSERT_REACHED(loop, a.Up(b));
}

TEST(PeerTransportTest, RedialsABrokenLink) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2));
  Introduce({&a, &b});
  ASSERT_REACHED(loop, a.Up(b) && b.Up(a));
  a.transport->Break(b.id, "its frames make no sense");
  ASSERT_REACHED(loop, a.ups.size() == 2 && b.ups.size() == 2 && a.Up(b) && b.Up(a));
  EXPECT_TRUE(a.Noted("broke the link to node 0000000000000002 at 127.0.0.1: its frames make no sense"));
  EXPECT_EQ(a.downs.size(), 1u);
  EXPECT_EQ(b.downs.size(), 1u);
}

TEST(PeerTransportTest, BlockedPeersStayApartUntilHealed) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2)), c(loop, TestOptions(3));
  Introduce({&a, &b, &c});
  ASSERT_REACHED(loop, a.Up(b) && b.Up(a) && a.Up(c) && b.Up(c));
  a.transport->SetBlocked({b.id});
  ASSERT_REACHED(loop, !a.Up(b) && !b.Up(a));
  ASSERT_REACHED(loop, b.Noted("its operator has cut this link"));
  a.transport->RetryNow(b.id);
  const uint64_t c_received = c.frames[a.id].size();
  a.Send(c, "still linked");
  ASSERT_REACHED(loop, c.frames[a.id].size() == c_received + 1);
  EXPECT_FALSE(a.Up(b) || b.Up(a));
  EXPECT_TRUE(a.Up(c));
  a.transport->SetBlocked({});
  ASSERT_REACHED(loop, a.Up(b) && b.Up(a));
  a.Send(b, "healed");
  ASSERT_REACHED(loop, b.frames[a.id].size() == 1);
}

TEST(PeerTransportTest, MayBeUsedFromItsOwnEvents) {
  UvLoop loop;
  TestNode a(loop, TestOptions(1)), b(loop, TestOptions(2));
  int breaks = 0;
  a.on_up = [&](NodeId peer) {
    a.transport->Send(peer, "hello");
    if (++breaks <= 5) a.transport->Break(peer, "test");
  };
  b.on_up = [&](NodeId peer) { b.transport->Send(peer, "hello"); };
  Introduce({&a, &b});
  ASSERT_REACHED(loop, a.ups.size() >= 6 && a.Up(b) && b.Up(a) && !b.frames[a.id].empty());
  EXPECT_EQ(a.downs.size(), a.ups.size() - 1);
}

}  // namespace
}  // namespace orrery::runtime

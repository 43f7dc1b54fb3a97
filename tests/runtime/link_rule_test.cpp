#include "runtime/link_rule.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace orrery::runtime {
namespace {

/// Two nodes, 0 (the smaller id) and 1, that follow the rule, and the sockets between them. The test walks
/// through every order in which messages can arrive and dials can begin.
struct World {
  enum Kind : char {
    kHello = 'h',
    kChallenge = 'c',
    kProof = 'p',
    kWelcome = 'w',
    kRefusal = 'r',
    kEnd = 'e'
  };
  struct Message {
    Kind kind;
    uint64_t detail;
  };
  struct Socket {
    int dialler;
    std::array<bool, 2> open{true, true};
    std::array<std::deque<Message>, 2> to;
  };
  struct Node {
    int link = -1;
    int dial = -1;
    bool proven = false;
    uint64_t dead_link = 0;
    std::set<int> incoming;
    int dials_left = 0;
    int downs = 0;
  };

  std::vector<Socket> sockets;
  std::array<Node, 2> nodes;

  /// A socket's number plus one is its link id.
  static uint64_t Id(int socket) { return static_cast<uint64_t>(socket) + 1; }

  void Send(int socket, int from, Kind kind, uint64_t detail = 0) {
    sockets[socket].to[1 - from].push_back({kind, detail});
  }

  void Close(int socket, int from) {
    if (!sockets[socket].open[from]) return;
    sockets[socket].open[from] = false;
    Send(socket, from, kEnd);
  }

  bool CanDial(int n) const { return nodes[n].link < 0 && nodes[n].dial < 0 && nodes[n].dials_left > 0; }

  void Dial(int n) {
    sockets.push_back({n, {true, true}, {}});
    --nodes[n].dials_left;
    nodes[n].dial = static_cast<int>(sockets.size()) - 1;
    nodes[n].proven = false;
    Send(nodes[n].dial, n, kHello);
  }

  void Deliver(int socket, int n) {
    const Message message = sockets[socket].to[n].front();
    sockets[socket].to[n].pop_front();
    if (!sockets[socket].open[n]) return;
    Node& node = nodes[n];
    switch (message.kind) {
      case kHello:
        node.incoming.insert(socket);
        return Send(socket, n, kChallenge);
      case kChallenge:
        node.proven = true;
        return Send(socket, n, kProof, node.dead_link);
      case kProof:
        return Judge(socket, n, message.detail);
      case kWelcome:
        ASSERT_EQ(node.link, -1);
        node.link = socket;
        node.dial = -1;
        node.dead_link = 0;
        return;
      case kRefusal:
        return Refused(socket, n, message.detail);
      case kEnd:
        return Ended(socket, n);
    }
  }

  void Judge(int socket, int n, uint64_t dead_link) {
    Node& node = nodes[n];
    LinkSituation situation;
    situation.link_up = node.link >= 0;
    situation.link_id = situation.link_up ? Id(node.link) : 0;
    situation.dial_proven = node.dial >= 0 && node.proven;
    situation.dial_id = situation.dial_proven ? Id(node.dial) : 0;
    situation.we_are_smaller = n == 0;
    situation.their_dead_link = dead_link;
    node.incoming.erase(socket);
    if (const auto standing = DuplicateOf(situation)) {
      Send(socket, n, kRefusal, *standing);
      return Close(socket, n);
    }
    if (node.link >= 0) {
      ++node.downs;
      Close(node.link, n);
    }
    if (node.dial >= 0) Close(node.dial, n);
    node.dial = -1;
    node.link = socket;
    node.dead_link = 0;
    Send(socket, n, kWelcome);
  }

  void Refused(int socket, int n, uint64_t standing) {
    Node& node = nodes[n];
    node.dial = -1;
    Close(socket, n);
    if (node.link < 0 && !node.incoming.contains(static_cast<int>(standing) - 1)) node.dead_link = standing;
  }

  void Ended(int socket, int n) {
    Node& node = nodes[n];
    Close(socket, n);
    node.incoming.erase(socket);
    if (node.dial == socket) node.dial = -1;
    if (node.link == socket) {
      node.link = -1;
      ++node.downs;
    }
  }

  std::string Text() const {
    std::ostringstream text;
    for (const Socket& socket : sockets) {
      text << '/' << socket.dialler << socket.open[0] << socket.open[1];
      for (const auto& queue : socket.to) {
        text << ';';
        for (const Message& message : queue) text << message.kind << message.detail;
      }
    }
    for (const Node& node : nodes) {
      text << '|' << node.link << ',' << node.dial << ',' << node.proven << ',' << node.dead_link << ','
           << node.dials_left << ',' << node.downs << ',';
      for (const int socket : node.incoming) text << socket << ' ';
    }
    return text.str();
  }
};

/// Calls check on every world in which nothing can happen any more.
class Explorer {
 public:
  template <typename Check>
  void Explore(const World& world, const Check& check) {
    if (!seen_.insert(world.Text()).second || testing::Test::HasFatalFailure()) return;
    bool quiet = true;
    for (size_t s = 0; s < world.sockets.size(); ++s) {
      for (int n = 0; n < 2; ++n) {
        if (world.sockets[s].to[n].empty()) continue;
        quiet = false;
        World next = world;
        next.Deliver(static_cast<int>(s), n);
        Explore(next, check);
      }
    }
    for (int n = 0; n < 2; ++n) {
      if (!world.CanDial(n)) continue;
      quiet = false;
      World next = world;
      next.Dial(n);
      Explore(next, check);
    }
    if (quiet) check(world);
  }
  size_t worlds() const { return seen_.size(); }

 private:
  std::set<std::string> seen_;
};

TEST(LinkRuleTest, LeavesOneLinkThatNeverFlapsHoweverDialsCross) {
  World start;
  start.nodes[0].dials_left = start.nodes[1].dials_left = 2;
  Explorer explorer;
  int linked = 0;
  explorer.Explore(start, [&](const World& world) {
    const World::Node& a = world.nodes[0];
    const World::Node& b = world.nodes[1];
    ASSERT_EQ(a.link, b.link) << world.Text();
    ASSERT_EQ(a.downs + b.downs, 0) << world.Text();
    ASSERT_GE(a.link, 0) << world.Text();
    ++linked;
  });
  EXPECT_GT(linked, 10);
  EXPECT_GT(explorer.worlds(), 300u);
}

TEST(LinkRuleTest, ReplacesALinkWhoseEndOnlyOneSideHasSeen) {
  for (const int loser : {0, 1}) {
    for (const int dialler : {0, 1}) {
      World start;
      start.sockets.push_back({dialler, {true, true}, {}});
      start.sockets[0].open[loser] = false;
      start.nodes[1 - loser].link = 0;
      start.nodes[loser].dials_left = 3;
      start.nodes[1 - loser].dials_left = 1;
      Explorer explorer;
      int linked = 0;
      explorer.Explore(start, [&](const World& world) {
        ASSERT_EQ(world.nodes[0].link, world.nodes[1].link) << world.Text();
        ASSERT_GT(world.nodes[0].link, 0) << world.Text();
        ASSERT_EQ(world.nodes[1 - loser].downs, 1) << world.Text();
        ASSERT_EQ(world.nodes[loser].downs, 0) << world.Text();
        ++linked;
      });
      EXPECT_GT(linked, 0);
    }
  }
}

TEST(LinkRuleTest, WelcomesAPeerInANewLife) {
  LinkSituation situation;
  situation.link_up = true;
  situation.link_id = 5;
  situation.link_incarnation = 1;
  situation.their_incarnation = 1;
  EXPECT_EQ(DuplicateOf(situation), 5u);
  situation.their_incarnation = 2;
  EXPECT_EQ(DuplicateOf(situation), std::nullopt);
}

}  // namespace
}  // namespace orrery::runtime

#include "orrery/membership/gossip.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>

#include "sample_members.h"

namespace orrery::membership {
namespace {

/// One node: its map and its gossip.
struct Talker {
  explicit Talker(uint64_t id) : self{id}, random(id), gossip(&map, self, &random) {
    map.Merge(SampleMember(id));
  }

  NodeId self;
  runtime::SeededRandom random;
  MembershipMap map;
  Gossip gossip;
};

/// Delivers everything between two nodes until both are quiet. The bytes that travelled.
size_t Converse(Talker* a, Talker* b, std::vector<Gossip::Message> first) {
  size_t bytes = 0;
  std::deque<std::pair<Talker*, Gossip::Message>> queue;  // sender, message
  for (auto& message : first) queue.emplace_back(a, std::move(message));
  while (!queue.empty()) {
    const auto [sender, message] = queue.front();
    queue.pop_front();
    bytes += message.bytes.size();
    Talker* receiver = sender == a ? b : a;
    EXPECT_EQ(message.to, receiver->self);
    bool changed = false;
    for (auto& answer : receiver->gossip.OnMessage(sender->self, message.bytes, &changed)) {
      queue.emplace_back(receiver, std::move(answer));
    }
  }
  return bytes;
}

TEST(GossipTest, ReconcilesTwoMapsInOneConversation) {
  Talker a(1), b(2);
  a.map.Merge(SampleMember(10, 3));
  a.map.Merge(SampleMember(11, 1));
  b.map.Merge(SampleMember(11, 2));
  b.map.Merge(SampleMember(12, 1));
  Converse(&a, &b, a.gossip.OnTick({b.self}));
  EXPECT_EQ(a.map.entries(), b.map.entries());
  EXPECT_EQ(a.map.size(), 5u);
  EXPECT_EQ(a.map.Find(NodeId{11})->version, 2u);
  EXPECT_EQ(a.gossip.malformed() + b.gossip.malformed(), 0u);
}

TEST(GossipTest, SettlesEntriesOfOneVersion) {
  Talker a(1), b(2);
  Member one = SampleMember(10, 3);
  Member other = one;
  other.host = "elsewhere";
  a.map.Merge(one);
  b.map.Merge(other);
  Converse(&a, &b, a.gossip.OnTick({b.self}));
  EXPECT_EQ(a.map.entries(), b.map.entries());
}

TEST(GossipTest, SpreadsARemovalAgainstAGreaterVersion) {
  Talker a(1), b(2);
  a.map.Merge(RemovalOf(SampleMember(10, 3)));
  b.map.Merge(SampleMember(10, 8));
  Converse(&b, &a, b.gossip.OnTick({a.self}));
  EXPECT_EQ(b.map.Find(NodeId{10})->state, MemberState::kRemoved);
  EXPECT_EQ(a.map.entries(), b.map.entries());
}

TEST(GossipTest, CostsNoMoreInALargeClusterAtRest) {
  for (uint64_t members : {3, 300}) {
    Talker a(1), b(2);
    for (uint64_t id = 1; id <= members; ++id) {
      a.map.Merge(SampleMember(id));
      b.map.Merge(SampleMember(id));
    }
    EXPECT_LE(Converse(&a, &b, a.gossip.OnTick({b.self})), 10u);
  }
}

TEST(GossipTest, SendsOnlyTheEntriesThatDiffer) {
  Talker a(1), b(2);
  for (uint64_t id = 1; id <= 100; ++id) {
    a.map.Merge(SampleMember(id));
    b.map.Merge(SampleMember(id));
  }
  a.map.Merge(SampleMember(50, 2));
  // A hash, a hundred versions of 17 bytes or more, one entry.
  EXPECT_LE(Converse(&a, &b, a.gossip.OnTick({b.self})), 100u * 18 + 150);
  EXPECT_EQ(a.map.Hash(), b.map.Hash());
}

TEST(GossipTest, TellsAFewOthersOfWhatItLearns) {
  Talker a(1), b(2);
  b.gossip.OnTick({NodeId{1}, NodeId{3}, NodeId{4}, NodeId{5}, NodeId{6}, NodeId{7}});
  std::string entries;
  bool changed = false;
  a.map.Merge(SampleMember(9));
  const auto hash = a.gossip.OnTick({b.self});
  const auto versions = b.gossip.OnMessage(a.self, hash[0].bytes, &changed);
  const auto answer = a.gossip.OnMessage(b.self, versions[0].bytes, &changed);
  const auto told = b.gossip.OnMessage(a.self, answer[0].bytes, &changed);
  EXPECT_TRUE(changed);
  std::set<NodeId> to;
  for (const auto& message : told) to.insert(message.to);
  // What a asked for, and the news to three others.
  EXPECT_EQ(told.size(), 4u);
  EXPECT_EQ(to.size(), 4u);
  EXPECT_TRUE(to.contains(a.self));
}

TEST(GossipTest, TellsAFewPeersOfALocalChange) {
  Talker a(1);
  EXPECT_TRUE(a.gossip.OnLocalChange({}).empty());
  EXPECT_EQ(a.gossip.OnLocalChange({NodeId{2}, NodeId{3}}).size(), 2u);
  const auto told = a.gossip.OnLocalChange({NodeId{2}, NodeId{3}, NodeId{4}, NodeId{5}, NodeId{6}});
  std::set<NodeId> to;
  for (const auto& message : told) to.insert(message.to);
  EXPECT_EQ(to.size(), 3u);
}

TEST(GossipTest, ANodeThatForgotItsLastVersionsTakesNoneOfThemBack) {
  Talker a(1), b(2);
  Member before = SampleMember(1, 9);
  before.host = "where I was before";
  b.map.Merge(before);
  Converse(&a, &b, a.gossip.OnTick({b.self}));
  EXPECT_EQ(a.map.Find(a.self)->host, SampleMember(1).host);
  EXPECT_EQ(a.map.Find(a.self)->version, 10u);
  Converse(&a, &b, a.gossip.OnTick({b.self}));
  EXPECT_EQ(b.map.Find(a.self)->host, SampleMember(1).host);
}

TEST(GossipTest, ANodeAcceptsItsOwnRemoval) {
  Talker a(1), b(2);
  b.map.Merge(RemovalOf(SampleMember(1)));
  Converse(&b, &a, b.gossip.OnTick({a.self}));
  EXPECT_EQ(a.map.Find(a.self)->state, MemberState::kRemoved);
}

TEST(GossipTest, PassesOnWhomItFindsDown) {
  Talker a(1), b(2);
  a.gossip.SetDown({NodeId{7}, NodeId{8}});
  Converse(&a, &b, a.gossip.OnTick({b.self}));
  b.gossip.SetDown({NodeId{8}});
  EXPECT_EQ(b.gossip.FoundDown()[NodeId{7}], (std::set<NodeId>{a.self}));
  EXPECT_EQ(b.gossip.FoundDown()[NodeId{8}], (std::set<NodeId>{a.self, b.self}));
  a.gossip.SetDown({});
  Converse(&a, &b, a.gossip.OnLocalChange({b.self}));
  EXPECT_FALSE(b.gossip.FoundDown().contains(NodeId{7}));
  a.gossip.SetDown({NodeId{7}});
  Converse(&a, &b, a.gossip.OnTick({b.self}));
  b.gossip.ForgetOpinionOf(a.self);
  EXPECT_FALSE(b.gossip.FoundDown().contains(NodeId{7}));
}

TEST(GossipTest, CountsAndIgnoresMalformedMessages) {
  Talker a(1), b(2);
  a.map.Merge(SampleMember(5));
  a.gossip.SetDown({NodeId{7}});
  bool changed = false;
  const std::string hash = a.gossip.OnTick({b.self})[0].bytes;
  const std::string versions = b.gossip.OnMessage(a.self, hash, &changed)[0].bytes;
  const std::string entries = a.gossip.OnMessage(b.self, versions, &changed)[0].bytes;
  uint64_t expected = 0;
  for (const std::string& message : {hash, versions, entries}) {
    for (size_t n = 0; n < message.size(); ++n) {
      EXPECT_TRUE(b.gossip.OnMessage(a.self, message.substr(0, n), &changed).empty());
      EXPECT_FALSE(changed);
      EXPECT_EQ(b.gossip.malformed(), ++expected);
    }
    b.gossip.OnMessage(a.self, message + "x", &changed);
    EXPECT_FALSE(changed);
    EXPECT_EQ(b.gossip.malformed(), ++expected);
  }
  EXPECT_EQ(b.map.size(), 1u);
}

}  // namespace
}  // namespace orrery::membership

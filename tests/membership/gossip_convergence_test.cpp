// Gossip among 10 to 200 nodes over a network that delays, reorders and loses. Prints rounds and bytes.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <memory>

#include "orrery/membership/gossip.h"
#include "sample_members.h"

namespace orrery::membership {
namespace {

constexpr uint64_t kRoundUs = 1'000'000;
constexpr uint64_t kDelayMaxUs = 50'000;

class LossyCluster {
 public:
  LossyCluster(size_t count, double loss, uint64_t seed) : random_(seed), loss_(loss) {
    for (uint64_t id = 1; id <= count; ++id) {
      nodes_.push_back(std::make_unique<Node>(id, seed));
      // As after an introduction: each knows itself and an earlier one, which knows it.
      if (id == 1) continue;
      Node& earlier = *nodes_[random_.Below(id - 1)];
      nodes_.back()->map.Merge(*earlier.map.Find(earlier.self));
      earlier.map.Merge(SampleMember(id));
    }
  }

  bool Converged() const {
    for (const auto& node : nodes_) {
      if (node->map.Hash() != nodes_[0]->map.Hash() || node->map.size() != nodes_[0]->map.size())
        return false;
    }
    return true;
  }

  /// One tick of every node, each at its own moment, and what arrives meanwhile.
  void Round() {
    for (const auto& node : nodes_) Post(random_.Below(kRoundUs), Event{node.get(), nullptr, ""});
    const uint64_t end = now_us_ + kRoundUs;
    while (!events_.empty() && events_.begin()->first < end) {
      now_us_ = events_.begin()->first;
      const Event event = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      Handle(event);
    }
    now_us_ = end;
  }

  int RoundsUntilConverged(int rounds_max) {
    int rounds = 0;
    while (!Converged() && rounds < rounds_max) {
      Round();
      ++rounds;
    }
    return rounds;
  }

  void ChangeOne() {
    Node& node = *nodes_[random_.Below(nodes_.size())];
    Member own = *node.map.Find(node.self);
    own.weight += 1;
    ++own.version;
    node.map.Merge(own);
    Send(&node, node.gossip.OnLocalChange(node.Peers()));
  }

  uint64_t TakeBytes() { return std::exchange(bytes_, 0); }

 private:
  struct Node {
    Node(uint64_t id, uint64_t seed) : self{id}, random(seed ^ id), gossip(&map, self, &random) {
      map.Merge(SampleMember(id));
    }
    std::vector<NodeId> Peers() const {
      std::vector<NodeId> peers;
      for (const auto& [id, member] : map.entries()) {
        if (id != self) peers.push_back(id);
      }
      return peers;
    }

    NodeId self;
    runtime::SeededRandom random;
    MembershipMap map;
    Gossip gossip;
  };

  /// A tick if there is no sender.
  struct Event {
    Node* receiver;
    Node* sender;
    std::string bytes;
  };

  void Post(uint64_t delay_us, Event event) { events_.emplace(now_us_ + delay_us, std::move(event)); }

  void Send(Node* sender, std::vector<Gossip::Message> messages) {
    for (auto& message : messages) {
      bytes_ += message.bytes.size();
      if (random_.Unit() < loss_) continue;
      Post(1 + random_.Below(kDelayMaxUs),
           Event{nodes_[message.to.value - 1].get(), sender, std::move(message.bytes)});
    }
  }

  void Handle(const Event& event) {
    bool changed = false;
    Node* node = event.receiver;
    Send(node, event.sender == nullptr ? node->gossip.OnTick(node->Peers())
                                       : node->gossip.OnMessage(event.sender->self, event.bytes, &changed));
    EXPECT_EQ(node->gossip.malformed(), 0u);
  }

  runtime::SeededRandom random_;
  const double loss_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::multimap<uint64_t, Event> events_;
  uint64_t now_us_ = 0;
  uint64_t bytes_ = 0;
};

TEST(GossipConvergenceTest, AllLearnOfAllInAboutLogarithmicRoundsDespiteLoss) {
  const uint64_t seed = runtime::SystemSeed();
  std::printf("seed %llu\n%6s %6s %14s %12s %14s %12s %12s\n", static_cast<unsigned long long>(seed), "nodes",
              "loss", "rounds (all)", "bytes/node", "rounds (one)", "bytes/node", "rest bytes/s");
  for (size_t count : {10, 30, 100, 200}) {
    for (double loss : {0.0, 0.3}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", nodes " + std::to_string(count));
      LossyCluster cluster(count, loss, seed);
      const int rounds_max = 10 + 4 * static_cast<int>(std::log2(count));
      const int to_learn_all = cluster.RoundsUntilConverged(rounds_max);
      ASSERT_TRUE(cluster.Converged());
      const uint64_t bytes_all = cluster.TakeBytes() / count;

      cluster.ChangeOne();
      const int to_learn_one = cluster.RoundsUntilConverged(rounds_max);
      ASSERT_TRUE(cluster.Converged());
      const uint64_t bytes_one = cluster.TakeBytes() / count;

      cluster.Round();  // what is still under way
      cluster.TakeBytes();
      cluster.Round();
      const uint64_t at_rest = cluster.TakeBytes() / count;
      EXPECT_LE(at_rest, 10u);
      std::printf("%6zu %6.1f %14d %12llu %14d %12llu %12llu\n", count, loss, to_learn_all,
                  static_cast<unsigned long long>(bytes_all), to_learn_one,
                  static_cast<unsigned long long>(bytes_one), static_cast<unsigned long long>(at_rest));
    }
  }
}

}  // namespace
}  // namespace orrery::membership

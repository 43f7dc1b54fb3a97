#include "simulation/scale/gossip_scale.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "orrery/base/check.h"
#include "orrery/base/hash.h"
#include "orrery/membership/gossip.h"
#include "simulation/scheduler.h"

namespace orrery::simulation {
namespace {

using membership::Gossip;
using membership::Member;
using membership::MembershipMap;

constexpr uint64_t kRoundUs = 1'000'000;
constexpr uint64_t kDelayMaxUs = 50'000;
constexpr uint64_t kLookUs = 50'000;
constexpr int kRestRounds = 5;

Member MemberOf(size_t index) {
  Member member;
  member.id = {index + 1};
  member.host = "10.0." + std::to_string(index / 250) + "." + std::to_string(1 + index % 250);
  member.client_port = 6379;
  member.peer_port = 16379;
  member.token_seed = static_cast<uint32_t>(Hash64(member.host));
  member.incarnation = 1'700'000'000'000 + index;
  member.version = 1;
  return member;
}

class GossipNetwork {
 public:
  GossipNetwork(size_t count, double loss, uint64_t seed) : random_(seed), loss_(loss) {
    for (size_t i = 0; i < count; ++i) {
      nodes_.push_back(std::make_unique<Node>(i, seed));
      PlanTick(i, random_.Below(kRoundUs));
      if (i == 0) continue;
      Node& earlier = *nodes_[random_.Below(i)];  // the seed in this node's configuration
      earlier.map.Merge(MemberOf(i));
      nodes_[i]->map.Merge(*earlier.map.Find(earlier.self));
    }
  }

  /// Rounds until all maps are equal.
  double RunUntilEqual(double rounds_max) {
    const uint64_t start_us = scheduler_.now_us();
    while (Rounds(start_us) < rounds_max && !Equal()) RunFor(kLookUs);
    return Rounds(start_us);
  }

  void RunFor(uint64_t duration_us) {
    bool over = false;
    scheduler_.After(duration_us, [&over] { over = true; });
    while (!over) scheduler_.Step();
  }

  void ChangeOne() {
    const size_t index = random_.Below(nodes_.size());
    Node& node = *nodes_[index];
    Member own = *node.map.Find(node.self);
    own.has_data = true;
    ++own.version;
    node.map.Merge(own);
    Send(index, node.gossip.OnLocalChange(node.Peers()));
  }

  /// Bytes sent per node since the last call, and the most that one node sent.
  std::pair<uint64_t, uint64_t> TakeBytes() {
    uint64_t sum = 0, most = 0;
    for (const auto& node : nodes_) {
      sum += node->bytes;
      most = std::max(most, std::exchange(node->bytes, 0));
    }
    return {sum / nodes_.size(), most};
  }

 private:
  struct Node {
    Node(size_t index, uint64_t seed)
        : self{index + 1}, random(seed ^ (index + 1)), gossip(&map, self, &random) {
      map.Merge(MemberOf(index));
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
    uint64_t bytes = 0;
  };

  double Rounds(uint64_t since_us) const {
    return static_cast<double>(scheduler_.now_us() - since_us) / static_cast<double>(kRoundUs);
  }

  bool Equal() const {
    return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
      return node->map.size() == nodes_.size() && node->map.Hash() == nodes_[0]->map.Hash();
    });
  }

  void PlanTick(size_t index, uint64_t delay_us) {
    scheduler_.After(delay_us, [this, index] {
      Send(index, nodes_[index]->gossip.OnTick(nodes_[index]->Peers()));
      PlanTick(index, kRoundUs);
    });
  }

  void Send(size_t from, std::vector<Gossip::Message> messages) {
    for (auto& message : messages) {
      nodes_[from]->bytes += message.bytes.size();
      if (random_.Unit() < loss_) continue;
      const size_t to = message.to.value - 1;
      scheduler_.After(1 + random_.Below(kDelayMaxUs), [this, from, to, bytes = std::move(message.bytes)] {
        Node& receiver = *nodes_[to];
        bool changed = false;
        Send(to, receiver.gossip.OnMessage(nodes_[from]->self, bytes, &changed));
        ORRERY_CHECK(receiver.gossip.malformed() == 0);
      });
    }
  }

  Scheduler scheduler_;
  runtime::SeededRandom random_;
  const double loss_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace

GossipScale MeasureGossip(size_t nodes, double loss, double rounds_max, uint64_t seed) {
  GossipNetwork network(nodes, loss, seed);
  GossipScale scale;
  scale.rounds_to_meet = network.RunUntilEqual(rounds_max);
  scale.bytes_to_meet = network.TakeBytes().first;
  network.RunFor(kRoundUs);  // what is still under way
  network.TakeBytes();
  network.RunFor(kRestRounds * kRoundUs);
  scale.bytes_at_rest = static_cast<double>(network.TakeBytes().first) / kRestRounds;
  network.ChangeOne();
  scale.rounds_to_know = network.RunUntilEqual(rounds_max);
  std::tie(scale.bytes_to_know, scale.bytes_to_know_most) = network.TakeBytes();
  return scale;
}

}  // namespace orrery::simulation

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "orrery/runtime/random.h"
#include "simulation/scheduler.h"

namespace orrery::simulation {

/// Each node's opinion of each other node, as a failure detector would have it: late in both directions, and
/// wrong when the nemesis says so. Opinions of two nodes about a third are independent.
class Detector {
 public:
  /// truth(node, peer): whether heartbeats of the peer reach the node. changed(node): its opinion of somebody
  /// did.
  Detector(size_t nodes, Scheduler* scheduler, runtime::Random* random,
           std::function<bool(size_t, size_t)> truth, std::function<void(size_t)> changed);

  bool ThinksAlive(size_t node, size_t peer) const { return node == peer || opinion_[node * nodes_ + peer]; }
  /// Something in the network or about a node changed: whoever is concerned will notice, sooner or later.
  void Reconsider();
  /// A new life of the node knows nobody yet.
  void Forget(size_t node);
  /// A mistake: the node takes the peer for dead for so long.
  void Suspect(size_t node, size_t peer, uint64_t duration_us);

 private:
  void Look(size_t node, size_t peer);

  size_t nodes_;
  Scheduler& scheduler_;
  runtime::Random& random_;
  std::function<bool(size_t, size_t)> truth_;
  std::function<void(size_t)> changed_;
  std::vector<bool> opinion_;
  std::vector<bool> looking_;
  std::vector<uint64_t> suspected_until_us_;
};

}  // namespace orrery::simulation

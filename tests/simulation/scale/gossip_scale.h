#pragma once

#include <cstddef>
#include <cstdint>

namespace orrery::simulation {

struct GossipScale {
  double rounds_to_meet = 0;        ///< seconds until all know all, when each knew one earlier node
  uint64_t bytes_to_meet = 0;       ///< sent per node meanwhile
  double rounds_to_know = 0;        ///< seconds until all know one change of one node
  uint64_t bytes_to_know = 0;       ///< sent per node meanwhile
  uint64_t bytes_to_know_most = 0;  ///< sent by the node that sent most
  double bytes_at_rest = 0;         ///< per node and second, when nothing changes
};

/// Real Gossip objects, one per node, over a network that delays each message by up to 50 ms and loses some.
/// A round is the second after which each node speaks to one random peer. Stops at rounds_max; then the
/// rounds are that many. Deterministic.
GossipScale MeasureGossip(size_t nodes, double loss, double rounds_max, uint64_t seed);

}  // namespace orrery::simulation

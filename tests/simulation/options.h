#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "orrery/replication/shard_context.h"

namespace orrery::simulation {

/// What a run is made of. The seed decides everything that these leave open.
struct Options {
  uint64_t seed = 1;
  size_t nodes = 5;
  uint8_t n = 3, r = 2, w = 2;
  size_t clients = 4;
  size_t slots = 2;
  size_t keys_per_slot = 15;
  /// Scheduler steps with clients and faults; then everything heals and must settle.
  uint64_t steps = 4000;
  /// Names out of AllFaults(), with the chance of each per opportunity in the nemesis.
  std::set<std::string> faults;
  /// Kinds of keys (key_kinds.h), by letter; keys of a slot are of these kinds in turn.
  std::string kinds = "abcdefghjklmnopq";
  uint64_t think_us = 20'000;     ///< mean pause of a client between two operations
  size_t loops = 1;               ///< of a node, at most
  bool loops_vary = false;        ///< each life of a node has as many as it pleases
  size_t zones = 0;               ///< 0: each node is one of its own
  std::vector<uint32_t> weights;  ///< of the nodes in turn; empty: all alike
  size_t spares = 1;              ///< machines that may join
  bool whole_ring = true;         ///< all slots have homes, not just those that are used and a few others
  bool transfer = false;          ///< members may come and go while there is data
  bool faulty_founding = false;   ///< faults strike while the nodes meet, too
  double batching = 0.3;          ///< chance that a turn waits for more input before it ends
  replication::ShardOptions shard;
  bool trace = false;
};

/// partition pair asymmetric flap slow crash power pause skew disk image suspect stranger; besides them, only
/// by name: corrupt rot stall
const std::set<std::string>& AllFaults();

/// What operators do to the members while there is data: join leave replace weight
const std::set<std::string>& OperatorFaults();

/// What the faults need besides: machines to join, members that may come and go, often few at first.
/// DrawOptions has done so; for whoever gives other faults.
void FitToFaults(Options* options);

/// Draws sizes, limits and policies from the seed, as far as the caller did not fix them.
Options DrawOptions(uint64_t seed);

}  // namespace orrery::simulation

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "simulation/scale/detector_scale.h"
#include "simulation/scale/gossip_scale.h"
#include "simulation/scale/ring_scale.h"

namespace orrery::simulation {

/// What becomes of membership and ring in a cluster of so many nodes. Rows, slots and clients are left out:
/// they concern N nodes each, however large the cluster.
struct ScaleRow {
  size_t nodes = 0;
  GossipScale gossip;
  DetectorScale lost;  ///< heartbeats that are lost
  DetectorScale late;  ///< heartbeats that are sent again, and delay those behind them
  RingScale ring;
};

inline constexpr double kScaleLoss = 0.01;

/// One row for each size, in ascending order.
std::vector<ScaleRow> MeasureScale(const std::vector<size_t>& sizes, uint64_t seed);
/// 10, 30, 100, 300, 1000 as far as they are below nodes, and nodes.
std::vector<size_t> SizesUpTo(size_t nodes);
/// Prints each row as soon as it is measured.
void PrintScale(const std::vector<size_t>& sizes, uint64_t seed);

}  // namespace orrery::simulation

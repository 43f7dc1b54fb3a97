#pragma once

#include <cstddef>
#include <cstdint>

namespace orrery::simulation {

struct DetectorScale {
  size_t observers = 0;   ///< nodes whose opinions were watched
  double pair_hours = 0;  ///< observed, of living peers
  uint64_t false_suspicions = 0;
  double noticed_ms = 0;  ///< mean time from a death without a broken connection until an observer knows
  double noticed_ms_most = 0;
  double heartbeats_per_s = 0;  ///< that each node sends
};

/// How loss shows to who listens.
enum class LossKind : uint8_t {
  kLost,  ///< the heartbeat never comes
  kLate,  ///< as on TCP: it comes with a retransmission, and what was sent after it waits
};

/// Real FailureDetectors of some observers, to whom all nodes of the cluster send heartbeats for a virtual
/// minute; then one node in twenty falls silent. Deterministic.
DetectorScale MeasureDetector(size_t nodes, double loss, LossKind kind, uint64_t seed);

}  // namespace orrery::simulation

#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "orrery/base/node_id.h"

namespace orrery::membership {

struct FailureDetectorOptions {
  uint64_t heartbeat_interval_us = 100'000;
  /// Suspicion above which a peer counts as down: -log10 of the chance that it is merely late.
  double phi_threshold = 8.0;
  /// However regular the heartbeats were, jitter below this is no news.
  uint64_t deviation_min_us = 50'000;
  /// Silence after which a peer is down whatever phi says: the promise of how long errors last.
  uint64_t silence_max_us = 900'000;
  /// If we ourselves did not look for this long, the silence was ours (a stopped process, a sleeping machine).
  uint64_t own_pause_us = 400'000;
};

/// Phi-accrual failure detector (Hayashibara et al., 2004), one per node, local: an opinion about peers, drawn from how
/// regularly frames arrive (Dynamo, section 4.8.3). Pure: time is an argument. One loop.
class FailureDetector {
 public:
  explicit FailureDetector(const FailureDetectorOptions& options) : options_(options) {}

  /// A link to the peer exists: it is alive from now on, unless it falls silent.
  void OnConnected(NodeId peer, uint64_t now_us);
  /// Anything arrived from the peer.
  void OnHeard(NodeId peer, uint64_t now_us);
  /// The link broke or was refused: down at once.
  void OnDisconnected(NodeId peer);
  void Forget(NodeId peer) { peers_.erase(peer); }

  /// 0 for one that was just heard; grows with silence. Infinite when down by disconnection.
  double Phi(NodeId peer, uint64_t now_us) const;
  bool IsAlive(NodeId peer) const;

  struct Change {
    NodeId peer;
    bool alive = false;
  };
  /// Judges all peers; call once per heartbeat interval. What changed since the last call, connections included.
  std::vector<Change> Evaluate(uint64_t now_us);

 private:
  // Mean and deviation of the gaps between arrivals, exponentially forgotten.
  struct Peer {
    bool connected = false;
    bool alive = false;
    bool reported = false;
    uint64_t heard_us = 0;
    double mean_us = 0;
    double variance = 0;
  };

  double Suspicion(const Peer& peer, uint64_t now_us) const;

  FailureDetectorOptions options_;
  std::map<NodeId, Peer> peers_;
  uint64_t evaluated_us_ = 0;
};

}  // namespace orrery::membership

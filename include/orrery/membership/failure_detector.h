#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "orrery/base/node_id.h"

namespace orrery::membership {

/// With the defaults a silent peer is down after 0.7 to 0.8 s if its heartbeats were regular, and after 1 s
/// in any case.
struct FailureDetectorOptions {
  uint64_t heartbeat_interval_us = 100'000;
  /// Suspicion above which a peer counts as down: -log10 of the chance that it is merely late.
  double phi_threshold = 8.0;
  /// However regular the heartbeats were, jitter below this is no news.
  uint64_t deviation_min_us = 100'000;
  /// Silence after which a peer is down whatever phi says: with one interval more, the promise of how long
  /// errors last.
  uint64_t silence_max_us = 900'000;
  /// If we ourselves did not look for this long, the silence was ours (a stopped process, a sleeping
  /// machine).
  uint64_t own_pause_us = 400'000;
};

/// Phi-accrual failure detector (Hayashibara et al., 2004), one per node, local: an opinion about peers,
/// drawn from how regularly frames arrive (Dynamo, section 4.8.3). Any frame proves that the peer lives; only
/// gaps as long as between heartbeats teach how late the next may be. Pure: time is an argument and must not
/// go back. One loop.
class FailureDetector {
 public:
  explicit FailureDetector(const FailureDetectorOptions& options) : options_(options) {}

  /// A link to the peer exists: it is alive from now on, unless it falls silent. What was learned of it is
  /// forgotten, as it may be another life.
  void OnConnected(NodeId peer, uint64_t now_us);
  /// Anything arrived from the peer.
  void OnHeard(NodeId peer, uint64_t now_us);
  /// The link broke or was refused: down at once.
  void OnDisconnected(NodeId peer);
  void Forget(NodeId peer) { peers_.erase(peer); }

  /// 0 for one that was just heard; grows with silence. Infinite when down by disconnection or unknown.
  double Phi(NodeId peer, uint64_t now_us) const;
  /// As of the last event or Evaluate.
  bool IsAlive(NodeId peer) const;

  struct Change {
    NodeId peer;
    bool alive = false;

    bool operator==(const Change&) const = default;
  };
  /// Judges all peers; call once per heartbeat interval. What changed since the last call, connections
  /// included. After a pause of our own nobody is judged by it: everybody has as long as if just heard.
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
  bool Silent(const Peer& peer, uint64_t now_us) const;

  FailureDetectorOptions options_;
  std::map<NodeId, Peer> peers_;
  uint64_t evaluated_us_ = 0;
};

}  // namespace orrery::membership

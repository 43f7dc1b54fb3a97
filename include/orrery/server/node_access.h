#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "orrery/base/node_id.h"
#include "orrery/base/slot.h"
#include "orrery/base/status.h"
#include "orrery/commands/keyspace_counts.h"
#include "orrery/replication/cluster_view.h"
#include "orrery/server/config.h"

namespace orrery::server {

/// One slot as its replica here has it.
struct SlotFacts {
  SlotId slot = 0;
  bool is_home = false;
  bool in_service = false;  ///< has finished its first sync and coordinates when its turn comes
  uint64_t rows = 0;
  uint64_t digest = 0;
  std::string clock;     ///< as text, "actor:counter,..."
  uint64_t voided = 0;   ///< entries of the voided set
  uint64_t backlog = 0;  ///< events in the backlog
};

/// Hints kept here for one home.
struct HintFacts {
  NodeId home;
  uint64_t events = 0;
  uint64_t bytes = 0;
};

/// A standing link to a peer.
struct LinkFacts {
  NodeId peer;
  bool dialled = false;      ///< by us
  uint64_t up_since_ms = 0;  ///< wall clock
  uint64_t queued_bytes = 0;
};

struct DatabaseFacts {
  uint64_t keys = 0;
  uint64_t expires = 0;
};

/// What one loop knows of itself; the sums over all loops are the node's.
struct LoopFacts {
  std::vector<DatabaseFacts> databases;  ///< by number, of the slots that this loop coordinates or holds
  std::vector<HintFacts> hints;
  std::vector<LinkFacts> links;
  uint64_t slots_held = 0;
  uint64_t slots_in_service = 0;
  uint64_t rows = 0;
  uint64_t backlog_bytes = 0;
  bool writes_stopped = false;  ///< the disk failed: nothing is acknowledged
  std::string writes_stopped_reason;
  /// Counters for INFO's `dynamo` section, summed by name: "events_made", "probes_sent", ...
  std::map<std::string, uint64_t> counters;
};

/// What INFO's section stats counts beside the clients' commands: since the start, or the last ResetCounts().
struct ActivityFacts {
  commands::KeyspaceCounts keyspace;  ///< of commands that ran here, at their slot's coordinator
  uint64_t peer_bytes_received = 0;
  uint64_t peer_bytes_sent = 0;
  uint64_t merges = 0;   ///< slots compared and made equal with another home
  uint64_t repairs = 0;  ///< reads that brought events which this node lacked

  void Add(const ActivityFacts& other);
};

/// The one door from the server's own commands into the node: one object per loop, made by the node's
/// assembly, used on its loop's thread only. Calls answer at once, from this loop's own state, unless they
/// take a callback; callbacks come on this loop, exactly once, and may come inside the call. The server
/// itself asks the loop that owns a slot (slot % loops) and adds up what the loops say.
class NodeAccess {
 public:
  virtual ~NodeAccess() = default;

  // The cluster.
  virtual replication::ClusterViewPtr View() const = 0;
  virtual uint64_t Incarnation() const = 0;
  /// The nodes that hold the slot now, in the order in which they coordinate; until the next turn of the
  /// loop.
  virtual std::span<const NodeId> HomesOf(SlotId slot) const = 0;
  /// All others, in the order in which they stand in.
  virtual std::vector<NodeId> FallbacksOf(SlotId slot) const = 0;
  /// Asks the node at that address into the cluster, or this one into its cluster. The greeting goes on after
  /// done(); kInvalid if the address is malformed.
  virtual void Meet(const std::string& host, uint16_t port, uint16_t peer_port,
                    std::function<void(Status)> done) = 0;
  /// What an operator wants of the members; done is called on this loop, kInvalid with the reason if it
  /// cannot be. kReset may take as long as a node needs to leave; once it is done, all connections are about
  /// to end.
  enum class Operation { kLeave, kForget, kReplace, kWeight, kZone, kReset };
  struct OperationRequest {
    Operation operation = Operation::kLeave;
    NodeId node;  ///< whom to forget or replace
    uint32_t weight = 1;
    std::string zone{};
  };
  virtual void Operate(const OperationRequest& request, std::function<void(Status)> done) = 0;
  /// Cuts this loop's links to exactly these peers, and refuses new ones, until called without them.
  virtual void BlockLinks(const std::set<NodeId>& peers) = 0;

  // This loop's slots.
  virtual LoopFacts Facts() const = 0;
  /// REQUIRES: the slot is this loop's.
  virtual SlotFacts DescribeSlot(SlotId slot) const = 0;
  /// The cheap part of it: rows and digest of the slot, zero where this node is no home. REQUIRES: as above.
  struct Digest {
    uint64_t digest = 0;
    uint64_t rows = 0;
  };
  virtual Digest SlotDigest(SlotId slot) const = 0;
  /// WAIT: when at least `replicas` other homes have everything that has been written to these slots of this
  /// loop, or after timeout_ms (0: no limit), says how many have. Never, once given_up is set, from any
  /// thread.
  virtual void AwaitReplicas(const std::vector<SlotId>& slots, uint64_t replicas, uint64_t timeout_ms,
                             std::shared_ptr<const std::atomic<bool>> given_up,
                             std::function<void(uint64_t)> done) = 0;

  // The node's store; the same through every loop.
  virtual std::map<std::string, uint64_t> StoreProperties() const = 0;
  /// Makes a checkpoint in the background, on this node alone.
  virtual void Checkpoint(std::function<void(Status)> done) = 0;

  /// Forgets what this loop keeps in memory of committed rows beside the store's own caches.
  virtual void ForgetCachedRows() = 0;
  /// Moves what is in memory to table files, and waits for it.
  virtual Status FlushStore() = 0;
  /// Whether this loop purges keys that have ended, in the background.
  virtual void SetActiveExpiry(bool active) = 0;

  /// Cheap: copies counters.
  virtual ActivityFacts Activity() const = 0;
  /// CONFIG RESETSTAT: Activity() begins at zero again; what Facts() counts goes on. Called on every loop.
  virtual void ResetCounts() = 0;

  /// Settings have changed; called on every loop.
  virtual void OnConfig(const ConfigPtr& config) = 0;
};

}  // namespace orrery::server

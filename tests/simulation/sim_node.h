#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orrery/replication/cluster_control.h"
#include "orrery/runtime/random.h"
#include "orrery/storage/memory_row_store.h"
#include "simulation/network.h"
#include "simulation/node_time.h"
#include "simulation/options.h"
#include "simulation/sim_loop.h"

namespace orrery::simulation {

/// What a node asks of the cluster around it.
class NodeHost {
 public:
  virtual ~NodeHost() = default;
  virtual void Send(Port from, NodeId to, std::string frame, bool quiet) = 0;
  virtual std::shared_ptr<const ring::Ring> RingOf(const std::vector<ring::RingMember>& members,
                                                   uint8_t n) = 0;
  /// The node keeps links to others than before.
  virtual void OnPeersChanged(size_t node) = 0;
  virtual void OnView(size_t node) = 0;
  virtual void OnExecution(size_t node, const Execution& execution) = 0;
  virtual void AfterTurn(Port port) = 0;
  virtual RequestListener* listener() = 0;
  virtual void OnLog(size_t node, const std::string& text) = 0;
};

/// One simulated machine: a disk that outlives its processes, a wall clock of its own, and at most one
/// running process: a real ClusterControl, and a real Shard for each of its loops. Whatever happens on a loop
/// goes through Run, so that pauses delay it, crashes drop it, and turns end as they do in a loop.
class SimNode {
 public:
  SimNode(size_t index, NodeId id, const Options& options, Scheduler* scheduler, runtime::Random* random,
          NodeHost* host);
  ~SimNode();

  /// Starts a process with a new incarnation. False if the disk refuses.
  bool Start();
  /// Ends the process between two turns. Of what was committed but not synced, unsynced_to_keep commits stay.
  void Crash(size_t unsynced_to_keep);
  void Pause();
  void Resume();
  /// An input of a loop: runs now, or when the node is no longer paused; never in another life.
  void Run(size_t loop, std::function<void()> input);
  /// As Run, but no turn ends because of it.
  void RunQuietly(size_t loop, std::function<void()> input);
  /// For so long the failure detector hears nothing of the peer, though its frames arrive.
  void Suspect(NodeId peer, uint64_t duration_us);
  /// The machine's disk takes writes but gets none of them down: what is committed stays unsynced until that
  /// ends. (What a loop would wait for, a commit that has to be on disk, is not held up.)
  void StallSyncs(bool stalled) { syncs_stalled_ = stalled; }

  // What the network tells.
  void OnLinkUp(size_t loop, NodeId peer, uint64_t incarnation);
  void OnLinkDown(size_t loop, NodeId peer);
  void OnFrame(size_t loop, NodeId peer, std::string_view frame);

  size_t index() const { return index_; }
  NodeId id() const { return id_; }
  bool up() const { return control_ != nullptr; }
  bool paused() const { return paused_; }
  uint64_t incarnation() const { return incarnation_; }
  causality::Actor actor() const { return {id_, incarnation_}; }
  uint64_t life() const { return life_; }
  storage::MemoryDatabase& disk() { return disk_; }
  NodeClock& clock() { return clock_; }
  /// Where it looks for others when it starts: nodes of the cluster, by number.
  std::set<size_t>& seeds() { return seeds_; }
  /// Whether it had some when it started.
  bool has_seeds() const { return has_seeds_; }
  /// It is one of its own seeds, and founds a cluster if it meets nobody.
  void MayFound() { may_found_ = true; }
  /// An operator's wish, kept in the configuration: its share of the data.
  void SetWeight(uint32_t weight);
  uint32_t weight() const {
    return weight_.value_or(options_.weights.empty() ? 1
                                                     : options_.weights[index_ % options_.weights.size()]);
  }
  bool DialsNode(NodeId peer, size_t peer_index) const {
    return peers_.contains(peer) || seeds_.contains(peer_index);
  }

  // REQUIRES: up(), all of these.
  replication::ClusterControl& control() { return *control_; }
  const replication::ClusterView& view() const { return *control_->view(); }
  size_t loops() const { return loops_.size(); }
  SimLoop& loop(size_t index) { return *loops_[index]; }
  SimLoop& LoopOf(SlotId slot) { return *loops_[slot % loops_.size()]; }
  replication::Shard& ShardOf(SlotId slot) { return LoopOf(slot).shard(); }
  storage::RowStore& StoreOf(SlotId slot) { return LoopOf(slot).store(); }
  /// A loop's disk has refused a commit.
  bool failed();
  /// All members are to know that it is none any more.
  bool HasLeft() const;
  bool IsHome(SlotId slot) { return ShardOf(slot).context().IsHome(slot); }

  // For the loops.
  Scheduler& scheduler() { return scheduler_; }
  NodeHost& host() { return host_; }
  runtime::Random& chance() { return chance_; }
  const Options& options() const { return options_; }

 private:
  struct Input {
    size_t loop;
    bool quiet;
    std::function<void()> task;
  };

  bool OpenControl();
  replication::ClusterControl::Hooks ControlHooks();
  void PlanHeartbeat();
  void Heartbeat();
  void SendControl(NodeId to, std::string bytes);
  void FinishControl();
  void PublishView();
  void EndTurn(size_t loop);
  void PlanTurnEnd(size_t loop);
  void PlanSync();
  bool FailStart();

  const size_t index_;
  const NodeId id_;
  const Options& options_;
  Scheduler& scheduler_;
  runtime::Random& chance_;
  NodeHost& host_;

  storage::MemoryDatabase disk_;
  NodeClock clock_;
  std::set<size_t> seeds_;
  bool has_seeds_ = false;
  bool may_found_ = false;

  // Of the present life.
  std::vector<std::unique_ptr<SimLoop>> loops_;
  std::unique_ptr<replication::ClusterControl> control_;
  std::set<NodeId> peers_;
  std::map<NodeId, uint64_t> deaf_until_us_;
  std::deque<Input> postponed_;
  uint64_t life_ = 0;
  uint64_t incarnation_ = 0;
  uint64_t syncs_planned_ = 0;
  std::optional<uint32_t> weight_;
  bool paused_ = false;
  bool syncs_stalled_ = false;  ///< the machine's, whatever life
  bool has_data_ = false;
  bool control_spoke_ = false;
  replication::ClusterViewPtr unpublished_;  ///< for the loops, once the turn is committed
};

}  // namespace orrery::simulation

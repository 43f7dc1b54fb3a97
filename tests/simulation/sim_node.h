#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "orrery/replication/shard.h"
#include "orrery/runtime/random.h"
#include "orrery/storage/memory_row_store.h"
#include "orrery/types/derived_index.h"
#include "simulation/client_gate.h"
#include "simulation/network.h"
#include "simulation/node_time.h"
#include "simulation/options.h"
#include "simulation/sim_executor.h"

namespace orrery::simulation {

/// What a node asks of the cluster around it.
class NodeHost {
 public:
  virtual ~NodeHost() = default;
  virtual replication::ClusterViewPtr ViewOf(size_t node) = 0;
  virtual void Send(size_t from, NodeId to, std::string frame) = 0;
  virtual void OnExecution(size_t node, const Execution& execution) = 0;
  virtual void AfterTurn(size_t node) = 0;
  virtual RequestListener* listener() = 0;
  virtual void OnLog(size_t node, const std::string& text) = 0;
};

/// One simulated machine: a disk that outlives its processes, a wall clock of its own, and at most one
/// running process, which is a real Shard. Whatever happens on it goes through Run, so that pauses delay it,
/// crashes drop it, and turns end as they do in a loop.
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
  /// An input of the process: runs now, or when the node is no longer paused; never in another life.
  void Run(std::function<void()> input);

  size_t index() const { return index_; }
  NodeId id() const { return id_; }
  bool up() const { return shard_ != nullptr; }
  bool paused() const { return paused_; }
  uint64_t incarnation() const { return incarnation_; }
  causality::Actor actor() const { return {id_, incarnation_}; }
  uint64_t life() const { return life_; }
  /// REQUIRES: up().
  replication::Shard& shard() { return *shard_; }
  ClientGate& gate() { return *gate_; }
  storage::RowStore& store() { return *store_; }
  storage::MemoryDatabase& disk() { return disk_; }
  NodeClock& clock() { return clock_; }

 private:
  class NodeTransport;

  void EndTurn();
  bool FailStart();

  const size_t index_;
  const NodeId id_;
  const Options& options_;
  Scheduler& scheduler_;
  runtime::Random& chance_;
  NodeHost& host_;

  storage::MemoryDatabase disk_;
  NodeClock clock_;
  std::unique_ptr<NodeTransport> transport_;
  types::DerivedIndex observer_;
  SimExecutor executor_;

  // Of the present life.
  std::unique_ptr<runtime::SeededRandom> random_;
  std::unique_ptr<NodeTimers> timers_;
  std::unique_ptr<storage::RowStore> store_;
  std::unique_ptr<replication::Shard> shard_;
  std::unique_ptr<ClientGate> gate_;
  std::deque<std::function<void()>> postponed_;
  uint64_t life_ = 0;
  uint64_t incarnation_ = 0;
  uint64_t syncs_planned_ = 0;
  bool paused_ = false;
  bool turn_end_planned_ = false;
  bool in_turn_ = false;
};

}  // namespace orrery::simulation

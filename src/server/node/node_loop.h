#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "orrery/commands/dispatcher.h"
#include "orrery/commands/executor.h"
#include "orrery/replication/cluster_control.h"
#include "orrery/replication/shard.h"
#include "orrery/replication/transfer_progress.h"
#include "orrery/runtime/random.h"
#include "orrery/runtime/uv/loop_thread.h"
#include "orrery/runtime/uv/peer_transport.h"
#include "orrery/server/command_runner.h"
#include "orrery/server/config.h"
#include "orrery/server/log.h"
#include "orrery/server/node_access.h"
#include "orrery/storage/rocksdb_row_store.h"
#include "orrery/types/derived_index.h"
#include "server/node/later_version.h"

namespace orrery::server {

class NodeLoop;

/// What all loops of a node share. Set up before the loops run; afterwards constant, but for the atomics.
struct NodeShared {
  ConfigStore* config = nullptr;
  Log* log = nullptr;
  storage::RocksDatabase* database = nullptr;
  causality::Actor self;
  std::vector<std::unique_ptr<NodeLoop>> loops;
  /// Lives on the first loop.
  replication::ClusterControl* control = nullptr;
  /// Of all loops together; on the first loop.
  replication::TransferProgress taking{"taking"}, giving{"giving"};
  std::atomic<bool> has_data = false;
  /// Any thread: the node must begin a new life.
  std::function<void(const std::string& why)> new_life;
  /// First loop: CLUSTER RESET, see NodeReset::Ask.
  std::function<void(std::function<void(const Status&)> done)> reset;

  /// Runs the task on each loop that is open, later.
  void OnEachLoop(const std::function<void(NodeLoop&)>& task) const;
};

/// One loop of a node and everything that lives on it. The loops talk by posted tasks only.
class NodeLoop final : public runtime::PeerEvents,
                       public replication::LoopMesh,
                       public CommandRunner,
                       public commands::ClusterAccess {
 public:
  NodeLoop(NodeShared* shared, size_t index, size_t count);
  ~NodeLoop() override;

  /// Before the loop runs: opens the shard with this view.
  [[nodiscard]] Status Open(replication::ClusterViewPtr view);
  /// After the loop has stopped.
  void Close();
  /// Settings that act while the node runs. On this loop.
  void OnConfig(const Config& config);

  /// What a node that leaves still has to hand over, as of the last look at it. Any thread.
  uint64_t holdings() const { return holdings_.load(std::memory_order_relaxed); }
  /// Commands that waited for something then. Any thread.
  uint64_t requests() const { return requests_.load(std::memory_order_relaxed); }
  /// Adds how far this loop was then with seats that it takes and gives. Any thread.
  void AddTransfers(replication::TransferProgress::Totals* taking,
                    replication::TransferProgress::Totals* giving) const;
  bool opened() const { return shard_ != nullptr; }

  runtime::UvLoop& loop() { return thread_.loop(); }
  runtime::LoopThread& thread() { return thread_; }
  runtime::PeerTransport& transport() { return *transport_; }
  replication::Shard& shard() { return *shard_; }
  storage::RowStore& store() { return *store_; }
  commands::Executor& executor() { return executor_; }
  runtime::Random& random() { return random_; }
  NodeAccess& access() { return *access_; }
  size_t index() const { return index_; }
  NodeShared& shared() { return shared_; }

  // runtime::PeerEvents
  void OnPeerUp(NodeId peer, uint64_t incarnation) override;
  void OnPeerDown(NodeId peer) override;
  void OnFrame(NodeId peer, std::string_view frame) override;

  // replication::LoopMesh
  void PostRequest(size_t loop, replication::Request request, uint8_t hops,
                   replication::Callback done) override;
  void PostMessage(size_t loop, NodeId from, replication::Message message) override;

  // CommandRunner
  void Run(const commands::CommandSpec& command, std::span<const std::string_view> args, const Caller& caller,
           Done done) override;

  // commands::ClusterAccess
  void SurveyKeys(const commands::SurveyQuery& query,
                  std::function<void(const commands::KeySurvey&)> done) override;
  void Post(std::function<void()> task) override { loop().Post(std::move(task)); }
  uint64_t StartTimer(uint64_t ms, std::function<void()> task) override {
    return loop().After(ms * 1000, std::move(task));
  }
  void StopTimer(uint64_t id) override { loop().Cancel(id); }
  uint64_t WallMs() override { return loop().WallMs(); }

 private:
  struct Transfers {
    std::atomic<uint64_t> left = 0, done = 0, claimed = 0, bytes = 0;
    void AddTo(replication::TransferProgress::Totals* sum) const;
  };

  void EndTurn();
  void WatchDisk();
  void CountHoldings();
  void CountTransfers();
  runtime::PeerTransportOptions TransportOptions() const;
  runtime::PeerTransportHooks TransportHooks();

  NodeShared& shared_;
  size_t index_;
  size_t count_;
  runtime::LoopThread thread_;
  runtime::SeededRandom random_;
  std::unique_ptr<storage::RowStore> store_;
  std::unique_ptr<runtime::PeerTransport> transport_;
  std::unique_ptr<UnknownMessageTransport> later_;  ///< in tests
  types::DerivedIndex observer_;
  commands::Executor executor_;
  std::unique_ptr<replication::Shard> shard_;
  std::unique_ptr<commands::Dispatcher> dispatcher_;
  std::unique_ptr<NodeAccess> access_;
  bool watching_disk_ = false;
  std::atomic<uint64_t> holdings_ = 1;
  std::atomic<uint64_t> requests_ = 0;
  Transfers taking_, giving_;
};

}  // namespace orrery::server

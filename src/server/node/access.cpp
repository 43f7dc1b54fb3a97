#include "server/node/access.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "orrery/causality/context.h"
#include "orrery/storage/row_key.h"
#include "server/node/facts.h"
#include "server/node/node_loop.h"

namespace orrery::server {
namespace {

class Access final : public NodeAccess {
 public:
  explicit Access(NodeLoop* loop) : loop_(*loop) {}
  ~Access() override {
    *alive_ = false;
    if (checkpoint_.joinable()) checkpoint_.join();
  }

  replication::ClusterViewPtr View() const override { return loop_.shard().view(); }
  uint64_t Incarnation() const override { return loop_.shared().self.incarnation; }

  std::span<const NodeId> HomesOf(SlotId slot) const override { return loop_.shard().context().Homes(slot); }
  std::vector<NodeId> FallbacksOf(SlotId slot) const override {
    return loop_.shard().context().Fallbacks(slot);
  }

  void Meet(const std::string& host, uint16_t /*port*/, uint16_t peer_port,
            std::function<void(Status)> done) override {
    NodeShared& shared = loop_.shared();
    shared.loops.front()->loop().Post([&shared, host, peer_port] { shared.control->OnMet(host, peer_port); });
    shared.OnEachLoop([host, peer_port](NodeLoop& each) { each.transport().Dial(host, peer_port); });
    done(Status::Ok());
  }

  void Operate(const OperationRequest& request, std::function<void(Status)> done) override {
    NodeShared& shared = loop_.shared();
    auto answer = [this, alive = alive_, done = std::move(done)](const Status& status) {
      loop_.loop().Post([alive, status, done] {
        if (*alive) done(status);
      });
    };
    shared.loops.front()->loop().Post([&shared, request, answer = std::move(answer)] {
      if (request.operation == Operation::kReset) return shared.reset(answer);
      answer(Operate(&shared, request));
    });
  }

  void BlockLinks(const std::set<NodeId>& peers) override { loop_.transport().SetBlocked(peers); }

  LoopFacts Facts() const override { return GatherFacts(&loop_); }
  SlotFacts DescribeSlot(SlotId slot) const override { return GatherSlotFacts(&loop_, slot); }

  Digest SlotDigest(SlotId slot) const override {
    const auto* replica = loop_.shard().slots().Find(slot);
    if (replica == nullptr || !loop_.shard().context().IsHome(slot)) return {};
    return {replica->digest(), replica->row_count()};
  }

  void AwaitReplicas(const std::vector<SlotId>& slots, uint64_t replicas, uint64_t timeout_ms,
                     std::shared_ptr<const std::atomic<bool>> given_up,
                     std::function<void(uint64_t)> done) override {
    loop_.shard().copies().Await(slots, replicas, timeout_ms, std::move(given_up), std::move(done));
  }

  std::map<std::string, uint64_t> StoreProperties() const override {
    return loop_.shared().database->Properties();
  }

  void Checkpoint(std::function<void(Status)> done) override {
    // RocksDB's checkpoint waits for the disk: it runs beside the loops, which go on.
    storage::RocksDatabase* database = loop_.shared().database;
    const std::string path =
        loop_.shared().config->Get()->dir + "/checkpoints/" + std::to_string(loop_.loop().WallMs());
    runtime::UvLoop* loop = &loop_.loop();
    if (checkpoint_.joinable()) checkpoint_.join();
    std::error_code ignored;  // if the folder cannot be made, the checkpoint says why
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    checkpoint_ = std::thread([database, path, loop, done = std::move(done)] {
      const Status status = database->Checkpoint(path);
      loop->Post([done, status] { done(status); });
    });
  }

  void ForgetCachedRows() override { loop_.store().ForgetCachedRows(); }
  Status FlushStore() override { return loop_.shared().database->Flush(); }
  void SetActiveExpiry(bool active) override { loop_.shard().SetActiveExpiry(active); }

  ActivityFacts Activity() const override {
    ActivityFacts facts = Counted();
    facts.peer_bytes_received -= at_reset_.peer_bytes_received;
    facts.peer_bytes_sent -= at_reset_.peer_bytes_sent;
    facts.merges -= at_reset_.merges;
    facts.repairs -= at_reset_.repairs;
    return facts;
  }

  void ResetCounts() override {
    loop_.executor().ResetCounts();
    at_reset_ = Counted();
  }

  void OnConfig(const ConfigPtr& config) override {
    loop_.OnConfig(*config);
    if (loop_.index() != 0) return;
    loop_.shared().database->SetScrub({config->scrub_interval_s, config->scrub_bytes_per_s});
    loop_.shared().control->SetQuorums(config->replication_factor, config->read_quorum, config->write_quorum);
  }

 private:
  ActivityFacts Counted() const {
    const runtime::PeerTransportStats& links = loop_.transport().stats();
    const replication::ShardStats& stats = loop_.shard().stats();
    return {loop_.executor().counts(), links.bytes_received, links.bytes_sent, stats.merges_done,
            stats.reads_repaired};
  }

  // On the first loop.
  static Status Operate(NodeShared* shared, const OperationRequest& request) {
    if (!shared->config->Get()->slot_transfer) {
      return Status::Invalid("slot-transfer is off: members join before the first write, and stay");
    }
    replication::ClusterControl& control = *shared->control;
    const membership::Member& own = *control.members().Find(control.self());
    switch (request.operation) {
      case Operation::kLeave:
        return control.Leave();
      case Operation::kForget:
        return control.Remove(request.node);
      case Operation::kReplace:
        return control.Replace(request.node);
      case Operation::kWeight:
        return control.SetShare(request.weight, own.zone);
      case Operation::kZone:
        return control.SetShare(own.weight, request.zone);
      case Operation::kReset:
        break;
    }
    return Status::Invalid("unknown operation");
  }

  NodeLoop& loop_;
  std::thread checkpoint_;
  ActivityFacts at_reset_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<NodeAccess> MakeNodeAccess(NodeLoop* loop) {
  return std::make_unique<Access>(loop);
}

}  // namespace orrery::server

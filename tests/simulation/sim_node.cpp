#include "simulation/sim_node.h"

#include <utility>

#include "orrery/base/check.h"
#include "orrery/base/marks.h"

namespace orrery::simulation {

class SimNode::NodeTransport final : public runtime::Transport {
 public:
  NodeTransport(size_t node, NodeHost* host) : node_(node), host_(*host) {}
  void Send(NodeId peer, std::string frame) override { host_.Send(node_, peer, std::move(frame)); }

 private:
  size_t node_;
  NodeHost& host_;
};

SimNode::SimNode(size_t index, NodeId id, const Options& options, Scheduler* scheduler,
                 runtime::Random* random, NodeHost* host)
    : index_(index),
      id_(id),
      options_(options),
      scheduler_(*scheduler),
      chance_(*random),
      host_(*host),
      disk_(storage::MemoryDatabase::SyncMode::kManual),
      clock_(scheduler),
      transport_(std::make_unique<NodeTransport>(index, host)),
      executor_([this](const Execution& execution) { host_.OnExecution(index_, execution); }) {}

SimNode::~SimNode() = default;

bool SimNode::Start() {
  ORRERY_CHECK(!up());
  ++life_;
  if (!ORRERY_MUTATION("reused-incarnation") || incarnation_ == 0) ++incarnation_;
  random_ = std::make_unique<runtime::SeededRandom>(chance_.Next64());
  timers_ = std::make_unique<NodeTimers>(&scheduler_, [this](auto task) { Run(std::move(task)); });
  store_ = disk_.OpenShard();
  replication::Shard::Parts parts;
  parts.clock = &clock_;
  parts.timers = timers_.get();
  parts.random = random_.get();
  parts.transport = transport_.get();
  parts.store = store_.get();
  parts.observer = &observer_;
  parts.executor = &executor_;
  parts.log = [this](const std::string& text) { host_.OnLog(index_, text); };
  if (!replication::FoldSlotJournals(store_.get()).ok()) return FailStart();
  auto shard = replication::Shard::Open(options_.shard, parts, actor(), host_.ViewOf(index_));
  if (!shard.ok()) return FailStart();
  shard_ = std::move(*shard);
  gate_ = std::make_unique<ClientGate>(&shard_->router(), host_.listener(), random_->Next64(), timers_.get(),
                                       &clock_);
  Run([] {});
  return true;
}

bool SimNode::FailStart() {
  store_.reset();
  timers_.reset();
  return false;
}

void SimNode::Crash(size_t unsynced_to_keep) {
  if (!up()) return;
  shard_->Stop();
  gate_.reset();
  shard_.reset();
  store_.reset();
  timers_.reset();
  postponed_.clear();
  paused_ = false;
  turn_end_planned_ = false;
  ++life_;
  disk_.Crash(std::min(unsynced_to_keep, disk_.unsynced_commits()));
}

void SimNode::Pause() {
  if (up()) paused_ = true;
}

void SimNode::Resume() {
  if (!std::exchange(paused_, false)) return;
  const uint64_t life = life_;
  for (auto& input : std::exchange(postponed_, {})) {
    if (life == life_ && up()) Run(std::move(input));
  }
}

void SimNode::Run(std::function<void()> input) {
  if (!up()) return;
  if (paused_) {
    postponed_.push_back(std::move(input));
    return;
  }
  ORRERY_CHECK(!in_turn_);
  input();
  if (turn_end_planned_) return;
  if (chance_.Unit() >= options_.batching) return EndTurn();
  turn_end_planned_ = true;
  scheduler_.After(1 + chance_.Below(300), [this, life = life_] {
    if (life != life_ || !up()) return;
    if (paused_) {
      postponed_.push_front([] {});  // the pause fell between input and end: the turn ends after it
      turn_end_planned_ = false;
      return;
    }
    turn_end_planned_ = false;
    EndTurn();
  });
}

void SimNode::EndTurn() {
  in_turn_ = true;
  shard_->EndTurn();
  in_turn_ = false;
  // A sync takes the disk some time, during which more is committed.
  if (syncs_planned_ == 0) {
    ++syncs_planned_;
    scheduler_.After(500 + chance_.Below(400'000), [this, life = life_] {
      --syncs_planned_;
      if (life == life_) Run([this] { disk_.CompleteSyncs(); });
    });
  }
  host_.AfterTurn(index_);
}

}  // namespace orrery::simulation

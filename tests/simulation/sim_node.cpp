#include "simulation/sim_node.h"

#include <algorithm>
#include <utility>

#include "orrery/base/check.h"
#include "orrery/base/marks.h"
#include "orrery/replication/node_state.h"
#include "simulation/shared_rings.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kHeartbeatUs = 100'000;

}  // namespace

SimNode::SimNode(size_t index, NodeId id, const Options& options, Scheduler* scheduler,
                 runtime::Random* random, NodeHost* host)
    : index_(index),
      id_(id),
      options_(options),
      scheduler_(*scheduler),
      chance_(*random),
      host_(*host),
      disk_(storage::MemoryDatabase::SyncMode::kManual),
      clock_(scheduler) {}

SimNode::~SimNode() {
  loops_.clear();
}

// ---- lives ----

bool SimNode::Start() {
  ORRERY_CHECK(!up());
  ++life_;
  const size_t count = options_.loops_vary ? 1 + chance_.Below(options_.loops) : options_.loops;
  for (size_t i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<SimLoop>(this, i, count, chance_.Next64()));
  }
  if (!OpenControl()) return FailStart();
  for (auto& loop : loops_) {
    if (!loop->Open().ok()) return FailStart();
  }
  for (size_t i = 0; i < count; ++i) Run(i, [] {});
  PlanHeartbeat();
  return true;
}

// As a node on a real machine begins: its new life is on the disk before anything else.
bool SimNode::OpenControl() {
  storage::RowStore& store = loops_[0]->store();
  auto state = replication::BeginLife(&store, id_, clock_.WallMs(), &loops_[0]->random());
  if (!state.ok()) return false;
  ORRERY_CHECK(state->id == id_);
  incarnation_ = state->incarnation;
  has_data_ = store.Scan(storage::Table::kSlots, "")->Valid();
  replication::ClusterOptions options;
  options.host = "n" + std::to_string(index_);
  options.weight = weight();
  if (options_.zones > 0) options.zone = std::string(1, static_cast<char>('a' + index_ % options_.zones));
  options.replication_factor = options_.n;
  options.read_quorum = options_.r;
  options.write_quorum = options_.w;
  options.transfer = options_.transfer;
  has_seeds_ = !seeds_.empty();
  options.has_seeds = has_seeds_;
  options.is_seed = may_found_;
  options.failure_detector.heartbeat_interval_us = kHeartbeatUs;
  control_ = std::make_unique<replication::ClusterControl>(options, std::move(*state), &store, &clock_,
                                                           &loops_[0]->random(), ControlHooks());
  control_->Start();
  return store.Commit(storage::Durability::kDisk).ok();
}

bool SimNode::FailStart() {
  control_.reset();
  unpublished_.reset();
  loops_.clear();
  peers_.clear();
  return false;
}

void SimNode::Crash(size_t unsynced_to_keep) {
  if (!up()) return;
  FailStart();
  postponed_.clear();
  deaf_until_us_.clear();
  paused_ = false;
  ++life_;
  disk_.Crash(std::min(unsynced_to_keep, disk_.unsynced_commits()));
}

void SimNode::Pause() {
  if (up()) paused_ = true;
}

void SimNode::Resume() {
  if (!std::exchange(paused_, false)) return;
  const uint64_t life = life_;
  for (Input& input : std::exchange(postponed_, {})) {
    if (life != life_ || !up()) return;
    if (input.quiet) {
      RunQuietly(input.loop, std::move(input.task));
    } else {
      Run(input.loop, std::move(input.task));
    }
  }
}

bool SimNode::failed() {
  return std::any_of(loops_.begin(), loops_.end(), [](const auto& loop) { return loop->shard().failed(); });
}

// ---- turns ----

void SimNode::Run(size_t index, std::function<void()> input) {
  if (!up() || index >= loops_.size()) return;
  if (paused_) {
    postponed_.push_back({index, false, std::move(input)});
    return;
  }
  SimLoop& loop = *loops_[index];
  ORRERY_CHECK(!loop.in_turn);
  input();
  if (loop.turn_end_planned) return;
  if (chance_.Unit() >= options_.batching) return EndTurn(index);
  PlanTurnEnd(index);
}

void SimNode::RunQuietly(size_t index, std::function<void()> input) {
  if (!up() || index >= loops_.size()) return;
  if (paused_) {
    postponed_.push_back({index, true, std::move(input)});
    return;
  }
  input();
  FinishControl();
}

void SimNode::PlanTurnEnd(size_t index) {
  loops_[index]->turn_end_planned = true;
  scheduler_.After(1 + chance_.Below(300), [this, index, life = life_] {
    if (life != life_ || !up()) return;
    loops_[index]->turn_end_planned = false;
    if (!paused_) return EndTurn(index);
    postponed_.push_front(
        {index, false, [] {}});  // the pause fell between input and end: the turn ends after it
  });
}

void SimNode::EndTurn(size_t index) {
  SimLoop& loop = *loops_[index];
  loop.in_turn = true;
  loop.shard().EndTurn();
  loop.in_turn = false;
  if (loop.shard().has_work()) PlanTurnEnd(index);
  if (index == 0) PublishView();
  const replication::ShardStats& stats = loop.shard().stats();
  if (stats.events_made + stats.events_applied > 0) has_data_ = true;
  PlanSync();
  host_.AfterTurn({index_, index});
}

// A sync takes the disk some time, during which more is committed.
void SimNode::PlanSync() {
  if (syncs_planned_ != 0) return;
  ++syncs_planned_;
  scheduler_.After(500 + chance_.Below(400'000), [this, life = life_] {
    --syncs_planned_;
    if (life != life_) return;
    Run(0, [this] {
      if (!syncs_stalled_) disk_.CompleteSyncs();
    });
    for (size_t i = 1; life == life_ && i < loops_.size(); ++i) Run(i, [] {});
  });
}

// ---- membership ----

replication::ClusterControl::Hooks SimNode::ControlHooks() {
  replication::ClusterControl::Hooks hooks;
  hooks.on_view = [this](const replication::ClusterViewPtr& view) {
    unpublished_ = view;
    host_.OnView(index_);
  };
  hooks.set_peers = [this](const std::vector<membership::Member>& members) {
    std::set<NodeId> peers;
    for (const auto& member : members) peers.insert(member.id);
    if (std::exchange(peers_, peers) != peers) host_.OnPeersChanged(index_);
  };
  hooks.send = [this](NodeId to, std::string bytes) { SendControl(to, std::move(bytes)); };
  hooks.send_committed = [this](NodeId to, std::string bytes) {
    control_spoke_ = true;
    loops_[0]->shard().SendCommittedGossip(to, std::move(bytes));
  };
  hooks.has_data = [this] { return has_data_; };
  hooks.holdings = [this] {
    uint64_t sum = 0;
    for (auto& loop : loops_) sum += loop->shard().Holdings();
    return sum;
  };
  hooks.requests = [this] {
    uint64_t sum = 0;
    for (auto& loop : loops_) sum += loop->shard().pending();
    return sum;
  };
  hooks.log = [this](const std::string& line) { host_.OnLog(index_, line); };
  hooks.sync_turn = [this] {
    if (loops_[0]->opened()) loops_[0]->shard().SyncTurn();
  };
  hooks.build_ring = [this](const std::vector<ring::RingMember>& members, uint8_t n) {
    return host_.RingOf(members, n);
  };
  hooks.choose_token_seed = SharedTokenSeed;
  return hooks;
}

void SimNode::PlanHeartbeat() {
  const auto beat = [this] {
    Heartbeat();
    PlanHeartbeat();
  };
  scheduler_.After(
      kHeartbeatUs,
      [this, beat, life = life_] {
        if (life == life_) RunQuietly(0, beat);
      },
      true);
}

void SimNode::Heartbeat() {
  control_->Tick();
}

// Heartbeats are by far the most frequent frames, and nothing but proof of life and a time: they travel as
// the others do, but take no turn of the loop at either end.
void SimNode::SendControl(NodeId to, std::string bytes) {
  replication::Shard& shard = loops_[0]->shard();
  if (bytes.size() > 1 || bytes[0] != '\0') {
    control_spoke_ = true;
    return shard.SendGossip(to, std::move(bytes));
  }
  if (shard.failed()) return;
  const uint64_t now_ms = shard.context().NowMs();
  std::string frame = replication::BeginFrame(shard.context().hybrid->Read(clock_.WallMs()), now_ms);
  replication::AppendMessage(replication::GossipMessage{std::move(bytes)}, &frame);
  host_.Send({index_, 0}, to, std::move(frame), true);
}

// What the control says, writes or sees outside of a turn begins one.
void SimNode::FinishControl() {
  const bool spoke = std::exchange(control_spoke_, false);
  if (spoke || unpublished_ || loops_[0]->store().HasPending()) Run(0, [] {});
}

void SimNode::PublishView() {
  const replication::ClusterViewPtr view = std::exchange(unpublished_, nullptr);
  if (!view || loops_[0]->shard().failed()) return;
  for (auto& loop : loops_) {
    loop->Post([shard = &loop->shard(), view] { shard->SetView(view); });
  }
}

void SimNode::SetWeight(uint32_t weight) {
  Run(0, [this, weight] {
    if (control_->SetShare(weight, control_->members().Find(id_)->zone).ok()) weight_ = weight;
  });
}

bool SimNode::HasLeft() const {
  return control_->members().Find(id_)->state == membership::MemberState::kRemoved &&
         control_->is_removal_known();
}

void SimNode::Suspect(NodeId peer, uint64_t duration_us) {
  if (up()) deaf_until_us_[peer] = scheduler_.now_us() + duration_us;
}

void SimNode::OnLinkUp(size_t loop, NodeId peer, uint64_t incarnation) {
  if (loop == 0) control_->OnPeerUp(peer);
  loops_[loop]->shard().OnPeerUp(peer, incarnation);
}

void SimNode::OnLinkDown(size_t loop, NodeId peer) {
  if (loop == 0) control_->OnPeerDown(peer);
  loops_[loop]->shard().OnPeerDown(peer);
}

void SimNode::OnFrame(size_t loop, NodeId peer, std::string_view frame) {
  if (loop == 0) {
    const auto deaf = deaf_until_us_.find(peer);
    if (deaf == deaf_until_us_.end() || deaf->second < scheduler_.now_us()) control_->OnHeard(peer);
  }
  loops_[loop]->shard().OnFrame(peer, frame);
}

}  // namespace orrery::simulation

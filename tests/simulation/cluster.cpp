#include "simulation/cluster.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "orrery/base/hash.h"
#include "simulation/describe.h"
#include "simulation/shared_rings.h"

namespace orrery::simulation {
namespace {

constexpr size_t kTraceMax = 20000;

NodeId IdOf(size_t index) {
  return {0x1000 + index};
}

constexpr uint64_t kStartWithinUs = 300'000;
constexpr size_t kKeptSlotsEvery = 64;
constexpr uint64_t kDiskRetryUs = 1'000'000;

}  // namespace

std::string NodeName(size_t node) {
  return "n" + std::to_string(node);
}

Cluster::Cluster(const Options& options)
    : options_(options),
      random_(options.seed),
      network_(options.nodes + options.spares, options.loops, &scheduler_, &random_, this, {}) {
  for (size_t i = 0; i < options_.nodes + options_.spares; ++i) {
    if (i < options_.nodes) members_.push_back(i);
    NodeHost* host = this;
    nodes_.push_back(std::make_unique<SimNode>(i, IdOf(i), options_, &scheduler_, &random_, host));
  }
  used_ = options_.nodes;
  ChooseSlots();
  ChooseSeeds();
  for (size_t slot = options_.seed % kKeptSlotsEvery; slot < kSlotCount; slot += kKeptSlotsEvery)
    kept_slots_.set(slot);
  for (SlotId slot : slots_) kept_slots_.set(slot);
}

Cluster::~Cluster() = default;

// Slots are told apart by hash tags; which ones, and so which homes they have, is the seed's choice.
void Cluster::ChooseSlots() {
  while (slots_.size() < options_.slots) {
    std::string tag = "{" + std::to_string(random_.Below(100'000)) + "}";
    const SlotId slot = SlotOf(tag);
    if (std::find(slots_.begin(), slots_.end(), slot) != slots_.end()) continue;
    slots_.push_back(slot);
    tags_.push_back(std::move(tag));
  }
}

std::vector<std::string> Cluster::KeysOf(SlotId slot) const {
  std::vector<std::string> keys;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i] != slot) continue;
    for (size_t k = 0; k < options_.keys_per_slot; ++k) {
      const size_t number = k / options_.kinds.size();
      const std::string kind(1, options_.kinds[k % options_.kinds.size()]);
      keys.push_back(kind + (number == 0 ? "" : std::to_string(number)) + tags_[i]);
    }
  }
  return keys;
}

// As operators write them: often the same first node in all configurations, sometimes some other one that is
// there already, sometimes several.
void Cluster::ChooseSeeds() {
  for (size_t i = 1; i < options_.nodes; ++i) {
    const uint64_t dice = random_.Below(4);
    nodes_[i]->seeds().insert(dice < 2 ? 0 : random_.Below(i));
    if (dice == 3) nodes_[i]->seeds().insert((i + 1 + random_.Below(options_.nodes - 1)) % options_.nodes);
  }
}

void Cluster::Start() {
  for (size_t i = 0; i < options_.nodes; ++i) {
    scheduler_.After(random_.Below(kStartWithinUs), [this, i] { StartNode(i); });
  }
}

const ring::Ring& Cluster::ring() {
  for (size_t i : members_) {
    if (!nodes_[i]->up()) continue;
    last_ring_ = nodes_[i]->view().ring;
    break;
  }
  return *last_ring_;
}

bool Cluster::IsMember(size_t node) const {
  return std::find(members_.begin(), members_.end(), node) != members_.end();
}

std::vector<size_t> Cluster::Machines() const {
  std::vector<size_t> machines = members_;
  machines.insert(machines.end(), leaving_.begin(), leaving_.end());
  return machines;
}

bool Cluster::IsServing(size_t node) {
  SimNode& asked = *nodes_[node];
  if (!asked.up() || asked.view().is_removed || asked.view().says_farewell) return false;
  // One without seeds founds a cluster of its own if it is written to before it is met.
  return node < options_.nodes || asked.has_seeds() || KnowsFounders(node);
}

bool Cluster::KnowsFounders(size_t node) {
  SimNode& asked = *nodes_[node];
  for (size_t loop = 0; asked.up() && loop < asked.loops(); ++loop) {
    if (asked.loop(loop).shard().view()->founders == nullptr) return false;
  }
  return asked.up();
}

std::vector<NodeId> Cluster::Homes(SlotId slot) {
  for (size_t i : members_) {
    SimNode* node = nodes_[i].get();
    if (!node->up()) continue;
    const auto homes = node->ShardOf(slot).context().Homes(slot);
    return {homes.begin(), homes.end()};
  }
  return {};
}

std::vector<NodeId> Cluster::Fallbacks(SlotId slot) {
  for (size_t i : members_) {
    SimNode* node = nodes_[i].get();
    if (node->up()) return node->ShardOf(slot).context().Fallbacks(slot);
  }
  return {};
}

std::string Cluster::NotSettled() {
  const uint64_t hash = nodes_[members_.front()]->loop(0).shard().context().seats.Hash();
  for (size_t i : members_) {
    SimNode* node = nodes_[i].get();
    for (size_t loop = 0; loop < node->loops(); ++loop) {
      const replication::Shard& shard = node->loop(loop).shard();
      if (shard.context().seats.Hash() != hash) return NodeName(node->index()) + " knows other seats";
      if (shard.taker().waiting() + shard.taker().under_way() > 0) {
        return NodeName(node->index()) + " waits for " + std::to_string(shard.taker().waiting()) +
               " seats and takes " + std::to_string(shard.taker().under_way());
      }
      if (shard.giver().leftovers() > 0) {
        return NodeName(node->index()) + " has not dropped " + std::to_string(shard.giver().leftovers()) +
               " slots";
      }
    }
  }
  return {};
}

std::string Cluster::NotMet() {
  for (size_t i : members_) {
    if (!nodes_[i]->up()) return NodeName(i) + " is down";
  }
  SimNode& first = *nodes_[members_.front()];
  for (size_t i : members_) {
    SimNode& node = *nodes_[i];
    const replication::ClusterView& view = node.view();
    if (view.members.size() != members_.size()) {
      return NodeName(i) + " knows " + std::to_string(view.members.size()) + " members";
    }
    if (view.alive.size() != members_.size()) return NodeName(i) + " " + DescribeView(view);
    for (size_t loop = 0; loop < node.loops(); ++loop) {
      if (node.loop(loop).shard().context().linked.size() + 1 < members_.size())
        return NodeName(i) + " lacks links";
    }
    if (node.control().members().Hash() != first.control().members().Hash()) {
      return NodeName(i) + " knows other entries than the first node";
    }
    const ring::Ring& ring = *first.view().ring;
    if (view.ring.get() != &ring && view.ring->Fingerprint() != ring.Fingerprint()) {
      return NodeName(i) + " has another ring than the first node";
    }
  }
  return {};
}

bool Cluster::Step() {
  return failure_.empty() && !finished_ && scheduler_.Step() && failure_.empty() && !finished_;
}

size_t Cluster::IndexOf(NodeId id) const {
  return id.value - IdOf(0).value;
}

// ---- faults ----

void Cluster::StartStranger(size_t seed) {
  if (used_ == nodes_.size()) return;
  const auto knows_of_data = [](const membership::Member& member) { return member.has_data; };
  for (size_t i : members_) {
    if (!nodes_[i]->up()) continue;
    const auto& known = nodes_[i]->view().members;
    if (std::none_of(known.begin(), known.end(), knows_of_data)) return;
  }
  nodes_.back()->seeds() = {seed};
  nodes_.back()->MayFound();
  StartNode(nodes_.size() - 1);
}

void Cluster::StopStranger() {
  if (used_ < nodes_.size()) CrashNode(nodes_.size() - 1, SIZE_MAX, 20'000);
}

void Cluster::StartNode(size_t index) {
  SimNode& node = *nodes_[index];
  if (node.up() || off_.contains(index)) return;
  if (!node.Start()) {
    Note("start refused", index, 0, [&] { return NodeName(index); });
    return;
  }
  Note("start", index, node.incarnation(),
       [&] { return DescribeActor(node.actor()) + " with " + std::to_string(node.loops()) + " loops"; });
  auto& first_image = first_images_[index];
  if (first_image == nullptr) first_image = node.disk().CopyImage();
  network_.NodeStarted(index);
  if (watcher_ != nullptr) watcher_->AfterStart(index);
}

void Cluster::CrashNode(size_t index, size_t unsynced_to_keep, uint64_t noticed_within_us) {
  SimNode& node = *nodes_[index];
  if (!node.up()) return;
  const size_t unsynced = node.disk().unsynced_commits();
  const size_t lost = unsynced - std::min(unsynced, unsynced_to_keep);
  Note("crash", index, lost, [&] { return NodeName(index) + " loses " + std::to_string(lost) + " commits"; });
  if (watcher_ != nullptr) watcher_->BeforeCrash(index);
  node.Crash(unsynced_to_keep);
  network_.NodeGone(index, noticed_within_us);
}

void Cluster::RestoreImage(size_t index, const storage::MemoryDatabase::Image& image) {
  if (nodes_[index]->up()) return;
  Note("image", index, 0, [&] { return NodeName(index) + " comes back with an older disk"; });
  nodes_[index]->disk().RestoreImage(image);
}

void Cluster::PauseNode(size_t index) {
  Note("pause", index, 0, [&] { return NodeName(index); });
  nodes_[index]->Pause();
}

void Cluster::ResumeNode(size_t index) {
  Note("resume", index, 0, [&] { return NodeName(index); });
  nodes_[index]->Resume();
  network_.NodeStarted(index);
}

void Cluster::SetBlocked(size_t from, size_t to, bool blocked) {
  Note(blocked ? "block" : "unblock", from, to, [&] { return NodeName(from) + " -> " + NodeName(to); });
  network_.SetBlocked(from, to, blocked);
}

void Cluster::Heal() {
  Note("heal", 0, 0, [] { return std::string(); });
  healed_ = founded_;
  StopStranger();
  for (size_t i : Machines()) {
    nodes_[i]->disk().FailWrites(Status::Ok());
    nodes_[i]->StallSyncs(false);
    nodes_[i]->clock().SetOffset(0);
    if (nodes_[i]->paused()) ResumeNode(i);
    if (nodes_[i]->up() && nodes_[i]->failed()) CrashNode(i, SIZE_MAX, 1000);
    StartNode(i);
  }
  network_.Heal();
}

void Cluster::Fail(const std::string& what) {
  if (!failure_.empty() || finished_) return;
  failure_ = what;
  Note("FAILED", 0, 0, [&] { return what; });
}

void Cluster::Finish(const std::string& why) {
  finished_ = true;
  Note("finished", 0, 0, [&] { return why; });
}

// ---- what the network asks ----

bool Cluster::IsResponsive(Port port) const {
  SimNode& node = *nodes_[port.node];
  return node.up() && !node.paused() && port.loop < node.loops() && !node.loop(port.loop).shard().failed();
}

// Loop i of a node dials loop i of each peer, modulo the peer's number of loops.
bool Cluster::Dials(Port from, Port to) const {
  const SimNode& dialler = *nodes_[from.node];
  const SimNode& peer = *nodes_[to.node];
  if (from.node == to.node || !dialler.up() || !peer.up() || from.loop >= dialler.loops()) return false;
  return to.loop == from.loop % peer.loops() && dialler.DialsNode(peer.id(), to.node);
}

bool Cluster::IsOwnLink(Port port, Port peer) const {
  return peer.loop == port.loop % nodes_[peer.node]->loops();
}

void Cluster::RunOn(Port port, bool quiet, std::function<void()> task) {
  SimNode& node = *nodes_[port.node];
  if (quiet) {
    node.RunQuietly(port.loop, std::move(task));
  } else {
    node.Run(port.loop, std::move(task));
  }
}

void Cluster::LinkUp(Port port, Port peer) {
  SimNode& node = *nodes_[port.node];
  SimNode& other = *nodes_[peer.node];
  Note("link up", port.node, peer.node, [&] { return NodeName(port.node) + " to " + NodeName(peer.node); });
  // The greeting tells: whoever hears of a later life of itself has an old disk and begins anew.
  const membership::Member* known = other.view().Find(node.id());
  if (known != nullptr && known->incarnation > node.incarnation()) NewLife(port.node, 1'000);
  node.OnLinkUp(port.loop, other.id(), other.incarnation());
}

void Cluster::LinkDown(Port port, Port peer) {
  Note("link down", port.node, peer.node, [&] { return NodeName(port.node) + " to " + NodeName(peer.node); });
  nodes_[port.node]->OnLinkDown(port.loop, nodes_[peer.node]->id());
}

void Cluster::Deliver(Port port, Port peer, std::string_view frame) {
  Mix(Hash64(frame, port.node * 64 + peer.node));
  if (options_.trace) {
    const std::string text = DescribeFrame(frame);
    if (!text.empty()) Trace("frame", NodeName(peer.node) + " -> " + NodeName(port.node) + text);
  }
  nodes_[port.node]->OnFrame(port.loop, nodes_[peer.node]->id(), frame);
}

// ---- what the nodes ask ----

void Cluster::Send(Port from, NodeId to, std::string frame, bool quiet) {
  if (watcher_ != nullptr && !quiet) watcher_->OnSend(from.node, frame);
  const size_t peer = IndexOf(to);
  if (!nodes_[peer]->up()) return;
  network_.Send(from, {peer, from.loop % nodes_[peer]->loops()}, std::move(frame), quiet);
}

// Before there are clients a ring of a part of the members decides nothing, and there are many of these.
std::shared_ptr<const ring::Ring> Cluster::RingOf(const std::vector<ring::RingMember>& members, uint8_t n) {
  static const auto kNoRing = std::make_shared<const ring::Ring>();
  if (!founded_ && members.size() < options_.nodes) return kNoRing;
  const auto whole = SharedRing(members, n);
  if (options_.whole_ring) return whole;
  auto& part = parts_of_rings_[whole];
  if (!part) part = std::make_shared<const ring::Ring>(whole->Only(kept_slots_));
  return part;
}

void Cluster::OnPeersChanged(size_t node) {
  if (nodes_[node]->up()) network_.NodeStarted(node);
}

void Cluster::OnView(size_t node) {
  Note("view", node, 0, [&] { return NodeName(node) + " " + DescribeView(nodes_[node]->view()); });
}

void Cluster::OnExecution(size_t node, const Execution& execution) {
  Note("run", node, execution.op, [&] {
    return NodeName(node) + " op " + std::to_string(execution.op) + " at " + DescribeClock(execution.before) +
           (execution.made.counter != 0 ? " makes " + DescribeDot(execution.made) : "");
  });
  if (watcher_ != nullptr) watcher_->OnExecution(node, execution);
}

// A loop whose disk refuses lets go of its peers; the node begins a new life when the disk takes writes
// again.
void Cluster::AfterTurn(Port port) {
  if (watcher_ != nullptr) watcher_->AfterTurn(port);
  SimNode& node = *nodes_[port.node];
  if (!node.loop(port.loop).shard().failed() || node.loop(port.loop).given_up) return;
  node.loop(port.loop).given_up = true;
  network_.PortGone(port);
  NewLife(port.node, kDiskRetryUs);
}

void Cluster::NewLife(size_t index, uint64_t after_us) {
  scheduler_.After(after_us, [this, index, life = nodes_[index]->life()] {
    if (nodes_[index]->life() != life) return;
    CrashNode(index, SIZE_MAX, 20'000);
    StartNode(index);
    if (!nodes_[index]->up()) NewLife(index, kDiskRetryUs);
  });
}

void Cluster::OnLog(size_t node, const std::string& text) {
  Note("log", node, 0, [&] { return NodeName(node) + " " + text; });
}

void Cluster::Mix(uint64_t value) {
  digest_ = (digest_ ^ (value + scheduler_.now_us())) * 0x9e3779b97f4a7c15;
}

void Cluster::Trace(const char* kind, const std::string& text) {
  char time[32];
  std::snprintf(time, sizeof time, "%12.6f ", static_cast<double>(scheduler_.now_us()) / 1e6);
  trace_.push_back(time + std::string(kind) + " " + text);
  if (trace_.size() > kTraceMax) trace_.pop_front();
}

}  // namespace orrery::simulation

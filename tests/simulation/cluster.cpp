#include "simulation/cluster.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "orrery/base/hash.h"
#include "simulation/describe.h"

namespace orrery::simulation {
namespace {

constexpr size_t kTraceMax = 20000;

NodeId IdOf(size_t index) {
  return {0x1000 + index};
}

// Rings depend on sizes alone and take milliseconds: seeds share them.
std::shared_ptr<const ring::Ring> RingFor(size_t nodes, int n) {
  static std::map<std::pair<size_t, int>, std::shared_ptr<const ring::Ring>> rings;
  auto& ring = rings[{nodes, n}];
  if (ring) return ring;
  std::vector<ring::RingMember> members;
  for (size_t i = 0; i < nodes; ++i)
    members.push_back({.id = IdOf(i), .weight = 1, .zone = {}, .token_seed = 0});
  ring = std::make_shared<const ring::Ring>(ring::Ring::Build(std::move(members), n));
  return ring;
}

}  // namespace

std::string NodeName(size_t node) {
  return "n" + std::to_string(node);
}

Cluster::Cluster(const Options& options)
    : options_(options),
      random_(options.seed),
      ring_(RingFor(options.nodes, options.n)),
      network_(options.nodes, &scheduler_, &random_, this, {}),
      detector_(
          options.nodes, &scheduler_, &random_,
          [this](size_t node, size_t peer) {
            return IsResponsive(peer) && !network_.IsBlocked(peer, node) && nodes_[node]->up();
          },
          [this](size_t node) {
            Note("view", node, 0, [&] { return NodeName(node) + " " + DescribeView(*ViewOf(node)); });
            nodes_[node]->Run([this, node] { nodes_[node]->shard().SetView(ViewOf(node)); });
          }) {
  for (size_t i = 0; i < options_.nodes; ++i) {
    NodeHost* host = this;
    nodes_.push_back(std::make_unique<SimNode>(i, IdOf(i), options_, &scheduler_, &random_, host));
  }
  ChooseSlots();
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

void Cluster::Start() {
  for (size_t i = 0; i < size(); ++i) StartNode(i);
}

bool Cluster::Step() {
  return failure_.empty() && scheduler_.Step() && failure_.empty();
}

size_t Cluster::IndexOf(NodeId id) const {
  return id.value - IdOf(0).value;
}

// ---- faults ----

void Cluster::StartNode(size_t index) {
  SimNode& node = *nodes_[index];
  if (node.up()) return;
  detector_.Forget(index);
  if (!node.Start()) {
    Note("start refused", index, 0, [&] { return NodeName(index); });
    return;
  }
  Note("start", index, node.incarnation(),
       [&] { return NodeName(index) + " life " + std::to_string(node.incarnation()); });
  network_.NodeStarted(index);
  detector_.Reconsider();
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
  detector_.Reconsider();
}

void Cluster::RestoreImage(size_t index, const storage::MemoryDatabase::Image& image) {
  if (nodes_[index]->up()) return;
  Note("image", index, 0, [&] { return NodeName(index) + " comes back with an older disk"; });
  nodes_[index]->disk().RestoreImage(image);
}

void Cluster::PauseNode(size_t index) {
  Note("pause", index, 0, [&] { return NodeName(index); });
  nodes_[index]->Pause();
  detector_.Reconsider();
}

void Cluster::ResumeNode(size_t index) {
  Note("resume", index, 0, [&] { return NodeName(index); });
  nodes_[index]->Resume();
  network_.NodeStarted(index);
  detector_.Reconsider();
}

void Cluster::SetBlocked(size_t from, size_t to, bool blocked) {
  Note(blocked ? "block" : "unblock", from, to, [&] { return NodeName(from) + " -> " + NodeName(to); });
  network_.SetBlocked(from, to, blocked);
  detector_.Reconsider();
}

void Cluster::Heal() {
  Note("heal", 0, 0, [] { return std::string(); });
  for (size_t i = 0; i < size(); ++i) {
    nodes_[i]->disk().FailWrites(Status::Ok());
    nodes_[i]->clock().SetOffset(0);
    if (nodes_[i]->paused()) ResumeNode(i);
    if (nodes_[i]->up() && nodes_[i]->shard().failed()) CrashNode(i, SIZE_MAX, 1000);
    StartNode(i);
  }
  network_.Heal();
  detector_.Reconsider();
}

void Cluster::Fail(const std::string& what) {
  if (!failure_.empty()) return;
  failure_ = what;
  Note("FAILED", 0, 0, [&] { return what; });
}

// ---- what the network and the nodes ask ----

void Cluster::LinkUp(size_t node, size_t peer) {
  Note("link up", node, peer, [&] { return NodeName(node) + " to " + NodeName(peer); });
  nodes_[node]->shard().OnPeerUp(nodes_[peer]->id(), nodes_[peer]->incarnation());
}

void Cluster::LinkDown(size_t node, size_t peer) {
  Note("link down", node, peer, [&] { return NodeName(node) + " to " + NodeName(peer); });
  nodes_[node]->shard().OnPeerDown(nodes_[peer]->id());
}

void Cluster::Deliver(size_t node, size_t peer, std::string_view frame) {
  Mix(Hash64(frame, node * 64 + peer));
  if (options_.trace) Trace("frame", NodeName(peer) + " -> " + NodeName(node) + DescribeFrame(frame));
  nodes_[node]->shard().OnFrame(nodes_[peer]->id(), frame);
}

replication::ClusterViewPtr Cluster::ViewOf(size_t node) {
  auto view = std::make_shared<replication::ClusterView>();
  view->self = nodes_[node]->id();
  view->ring = ring_;
  for (size_t i = 0; i < size(); ++i) {
    membership::Member member;
    member.id = nodes_[i]->id();
    view->members.push_back(std::move(member));
    if (detector_.ThinksAlive(node, i)) view->alive.insert(nodes_[i]->id());
  }
  view->replication_factor = options_.n;
  view->read_quorum = options_.r;
  view->write_quorum = options_.w;
  return view;
}

void Cluster::Send(size_t from, NodeId to, std::string frame) {
  if (watcher_ != nullptr) watcher_->OnSend(from, frame);
  network_.Send(from, IndexOf(to), std::move(frame));
}

void Cluster::OnExecution(size_t node, const Execution& execution) {
  Note("run", node, execution.op, [&] {
    return NodeName(node) + " op " + std::to_string(execution.op) + " at " + DescribeClock(execution.before) +
           (execution.made.counter != 0 ? " makes " + DescribeDot(execution.made) : "");
  });
  if (watcher_ != nullptr) watcher_->OnExecution(node, execution);
}

void Cluster::AfterTurn(size_t node) {
  if (watcher_ != nullptr) watcher_->AfterTurn(node);
  if (nodes_[node]->shard().failed()) {
    // A process that cannot write ends; something starts it again.
    scheduler_.After(1000, [this, node, life = nodes_[node]->life()] {
      if (nodes_[node]->life() == life) CrashNode(node, SIZE_MAX, 20'000);
    });
    scheduler_.After(1'000'000, [this, node] { StartNode(node); });
  }
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

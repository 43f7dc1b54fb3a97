// What operators do to the members of a cluster that holds data.

#include <algorithm>

#include "simulation/cluster.h"

namespace orrery::simulation {
namespace {

constexpr uint64_t kAgainUs = 500'000;

}  // namespace

bool Cluster::Join() {
  if (used_ == nodes_.size()) return false;
  const std::vector<size_t> known = Joined();
  if (known.empty()) return false;
  const auto any = [&] { return known[random_.Below(known.size())]; };
  const size_t node = used_++;
  const uint64_t dice = random_.Below(4);
  if (dice == 0) {
    nodes_[any()]->seeds().insert(node);
  } else {
    nodes_[node]->seeds().insert(any());
    if (dice == 3) nodes_[node]->seeds().insert(any());
  }
  members_.push_back(node);
  Note("join", node, dice, [&] { return NodeName(node) + (dice == 0 ? " is met" : " by its seeds"); });
  StartNode(node);
  SeeThatItJoins(node);
  return true;
}

// Whom it was to join may be gone, perhaps before it told the others: then it is told of somebody else.
void Cluster::SeeThatItJoins(size_t index) {
  scheduler_.After(4 * kAgainUs, [this, index] {
    if (!IsMember(index)) return;
    const bool has_joined = nodes_[index]->up() && nodes_[index]->view().founders != nullptr && IsKnown(index);
    if (has_joined) return;
    const std::vector<size_t> joined = Joined();
    const size_t seed = joined.empty() ? index : joined[random_.Below(joined.size())];
    if (seed != index && nodes_[index]->seeds().insert(seed).second) OnPeersChanged(index);
    SeeThatItJoins(index);
  });
}

// A newcomer that is still to be met would found a cluster with another one.
std::vector<size_t> Cluster::Joined() {
  std::vector<size_t> joined;
  for (size_t i : members_) {
    if (i < options_.nodes || KnowsFounders(i)) joined.push_back(i);
  }
  return joined;
}

bool Cluster::IsKnown(size_t node) {
  return std::all_of(members_.begin(), members_.end(), [&](size_t i) {
    return !nodes_[i]->up() || nodes_[i]->view().Find(nodes_[node]->id()) != nullptr;
  });
}

// The operator sees to it that there are enough others; when it cannot be granted, nothing has changed.
void Cluster::Leave(size_t index) {
  SimNode& node = *nodes_[index];
  if (!node.up() || node.paused() || Sharing(index) < options_.n) return;
  bool granted = false;
  node.Run(0, [&] { granted = node.control().Leave().ok(); });
  if (!granted) return;
  Note("leave", index, 0, [&] { return NodeName(index); });
  std::erase(members_, index);
  leaving_.insert(index);
  StopWhenLeft(index);
}

// A crash may take the wish from the node before it was on its disk: then the operator says it again.
void Cluster::StopWhenLeft(size_t index) {
  scheduler_.After(kAgainUs, [this, index] {
    SimNode& node = *nodes_[index];
    if (!node.up() || node.paused()) return StopWhenLeft(index);
    if (!node.HasLeft()) {
      node.Run(0, [&] { (void)node.control().Leave(); });
      if (Sharing(SIZE_MAX) < options_.n) MakeRoomForSeats();
      return StopWhenLeft(index);
    }
    Note("left", index, 0, [&] { return NodeName(index); });
    if (watcher_ != nullptr) watcher_->OnLeft(index);
    CrashNode(index, SIZE_MAX, 20'000);
    off_.insert(index);
    leaving_.erase(index);
    gone_.insert(index);
    RemoveGone(index, false);
  });
}

// Several who were told at one moment, to leave or to give up their share, may all have been granted it. Then somebody gets a
// share again, or a node is added.
void Cluster::MakeRoomForSeats() {
  const auto rests = [this](size_t i) { return nodes_[i]->up() && !nodes_[i]->paused() && nodes_[i]->weight() == 0; };
  const auto found = std::find_if(members_.begin(), members_.end(), rests);
  if (found == members_.end()) {
    Join();
    return;
  }
  Note("share again", *found, 1, [&] { return NodeName(*found); });
  nodes_[*found]->SetWeight(1);
}

bool Cluster::Replace(size_t index, bool comes_back) {
  const std::vector<size_t> joined = Joined();
  const bool others_have = std::any_of(joined.begin(), joined.end(), [&](size_t i) { return i != index; });
  if (used_ == nodes_.size() || !others_have || !IsKnown(index)) return false;
  Note("replace", index, comes_back, [&] { return NodeName(index); });
  if (watcher_ != nullptr) watcher_->OnDiskGone(index);
  CrashNode(index, 0, 1'000'000);
  std::erase(members_, index);
  Join();
  gone_.insert(index);
  off_.insert(index);
  RemoveGone(index, comes_back);
  return true;
}

// At whatever member, again and again, until all know: one that loses its disk or its process may forget that it was asked.
void Cluster::RemoveGone(size_t index, bool comes_back) {
  scheduler_.After(kAgainUs, [this, index, comes_back] {
    const NodeId node = nodes_[index]->id();
    const auto all = [&](const auto& says) {
      return std::all_of(members_.begin(), members_.end(), [&](size_t i) {
        return nodes_[i]->up() && says(nodes_[i]->view());
      });
    };
    const bool all_know = all([&](const replication::ClusterView& view) { return view.removed.contains(node); });
    // One that died before those who stayed heard of it is not there to be removed.
    const bool all_never_heard = all([&](const replication::ClusterView& view) {
      return !view.removed.contains(node) && std::none_of(view.members.begin(), view.members.end(),
                                                          [&](const auto& member) { return member.id == node; });
    });
    if (!all_know && !all_never_heard) {
      SimNode& asked = *nodes_[members_[random_.Below(members_.size())]];
      const bool forget = members_.size() < options_.n || random_.Below(2) == 0;
      if (asked.up() && !asked.paused()) {
        asked.Run(0, [&] { (void)(forget ? asked.control().Remove(node) : asked.control().Replace(node)); });
      }
      return RemoveGone(index, comes_back);
    }
    Note("removed", index, 0, [&] { return NodeName(index); });
    gone_.erase(index);
    if (comes_back) ComeBack(index);
  });
}

// Until everything heals it runs, and the others have to make it understand.
void Cluster::ComeBack(size_t index) {
  scheduler_.After(1 + random_.Below(3'000'000), [this, index] {
    if (healed_) return;
    unwanted_.insert(index);
    off_.erase(index);
    StartNode(index);
  });
}

size_t Cluster::Sharing(size_t except) const {
  return static_cast<size_t>(std::count_if(members_.begin(), members_.end(),
                                           [&](size_t i) { return i != except && nodes_[i]->weight() > 0; }));
}

std::string Cluster::Unsettled() const {
  if (!leaving_.empty()) return NodeName(*leaving_.begin()) + " is still leaving";
  if (!gone_.empty()) return NodeName(*gone_.begin()) + " is still to be removed";
  for (size_t i : unwanted_) {
    if (nodes_[i]->up() && !nodes_[i]->view().is_removed)
      return NodeName(i) + " does not know that it was removed";
  }
  return {};
}

}  // namespace orrery::simulation

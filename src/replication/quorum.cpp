#include "orrery/replication/quorum.h"

#include <algorithm>
#include <set>

#include "orrery/base/marks.h"

namespace orrery::replication {

using causality::Actor;
using causality::Dot;
using causality::SlotClock;

SlotQuorum::Node& SlotQuorum::At(NodeId id) {
  for (Node& node : nodes_) {
    if (node.id == id) return node;
  }
  Node node;
  node.id = id;
  return nodes_.emplace_back(std::move(node));
}

SlotQuorum::Rare& SlotQuorum::Node::MakeRare() {
  if (rare == nullptr) rare = std::make_unique<Rare>();
  return *rare;
}

const SlotQuorum::Node* SlotQuorum::Find(NodeId id) const {
  const auto it = std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& node) { return node.id == id; });
  return it == nodes_.end() ? nullptr : &*it;
}

void SlotQuorum::LearnClock(NodeId home, const SlotClock& clock) { At(home).holds.Join(clock); }

void SlotQuorum::LearnDot(NodeId home, const Dot& upto) {
  // Cumulative acknowledgements may skip counters; that is no event, so Advance does not fit.
  At(home).holds.Raise(upto);
}

void SlotQuorum::LearnHint(NodeId fallback, NodeId home, const Dot& upto) {
  At(fallback).MakeRare().hints[home].Raise(upto);
}

void SlotQuorum::Forget(NodeId node) {
  std::erase_if(nodes_, [&](const Node& known) { return known.id == node; });
}

uint64_t SlotQuorum::KnownOf(NodeId home, const Actor& actor) const {
  const Node* node = Find(home);
  return node == nullptr ? 0 : node->holds.Get(actor);
}

uint64_t SlotQuorum::FloorKnownOf(NodeId home, NodeId node) const {
  const Node* known = Find(home);
  return known == nullptr ? 0 : known->holds.FloorOf(node);
}

size_t SlotQuorum::OtherCopies(const Dot& dot) const {
  size_t copies = 0;
  bool hinted = false;
  for (const Node& node : nodes_) {
    copies += node.holds.Covers(dot) ? 1 : 0;
    hinted = hinted || node.has_hints();
  }
  if (!hinted) return copies;
  std::set<NodeId> homes;
  std::set<NodeId> holders;
  for (const Node& node : nodes_) {
    if (node.holds.Covers(dot)) {
      homes.insert(node.id);
      holders.insert(node.id);
    }
    if (!node.has_hints()) continue;
    for (const auto& [home, upto] : node.rare->hints) {
      if (!upto.Covers(dot)) continue;
      homes.insert(home);
      holders.insert(node.id);
    }
  }
  // A fallback that first stood for one home and then for another too has one disk all the same.
  if (ORRERY_MUTATION("copies-counted-by-home")) return homes.size();
  return std::min(homes.size(), holders.size());
}

void SlotQuorum::Rebase(const SlotClock& clock) {
  base_ = clock;
  base_settled_ = base_.counters().empty();
  unsettled_.clear();
  ++last_seen_;
}

uint64_t SlotQuorum::Saw(const Dot& dot) {
  unsettled_.push_back({++last_seen_, dot});
  return last_seen_;
}

uint64_t SlotQuorum::Settle(size_t write_quorum) {
  const auto on_enough = [&](const Dot& dot) { return OtherCopies(dot) + 1 >= write_quorum; };
  if (!base_settled_) {
    const auto& entries = base_.counters().entries();
    base_settled_ = std::all_of(entries.begin(), entries.end(),
                                [&](const auto& entry) { return on_enough({entry.actor, entry.counter}); });
    if (!base_settled_) return settled_;
  }
  while (!unsettled_.empty() && on_enough(unsettled_.front().dot)) unsettled_.pop_front();
  settled_ = unsettled_.empty() ? last_seen_ : unsettled_.front().sequence - 1;
  return settled_;
}

std::vector<Dot> SlotQuorum::Unsettled() const {
  std::vector<Dot> dots;
  if (!base_settled_) {
    for (const auto& entry : base_.counters().entries()) dots.push_back({entry.actor, entry.counter});
  }
  for (const Seen& seen : unsettled_) dots.push_back(seen.dot);
  return dots;
}

uint64_t SlotQuorum::OldestUnsettled(const Actor& actor) const {
  const auto oldest =
      std::find_if(unsettled_.begin(), unsettled_.end(), [&](const Seen& seen) { return seen.dot.actor == actor; });
  return oldest == unsettled_.end() ? 0 : oldest->dot.counter;
}

void SlotQuorum::Answered(NodeId id, uint64_t probe_id, const SlotClock& theirs, const SlotClock& ours) {
  if (ours.CoversEveryDotOf(theirs)) return AnsweredCurrent(id, probe_id);
  Rare& rare = At(id).MakeRare();
  rare.waiting_probe = std::max(rare.waiting_probe, probe_id);
  rare.waiting_for.Join(theirs);
}

void SlotQuorum::AnsweredCurrent(NodeId id, uint64_t probe_id) {
  Node& node = At(id);
  node.current_probe = std::max(node.current_probe, probe_id);
}

uint64_t SlotQuorum::CurrentUnder(NodeId id) const {
  const Node* node = Find(id);
  return node == nullptr ? 0 : node->current_under;
}

void SlotQuorum::ForgetCurrentUnder() {
  for (Node& node : nodes_) node.current_under = 0;
}

void SlotQuorum::Recheck(const SlotClock& ours) {
  for (Node& node : nodes_) {
    if (node.rare == nullptr || node.rare->waiting_probe <= node.current_probe) continue;
    if (!ours.CoversEveryDotOf(node.rare->waiting_for)) continue;
    node.current_probe = node.rare->waiting_probe;
    node.rare->waiting_for = SlotClock();
  }
}

bool SlotQuorum::IsCurrent(NodeId id, uint64_t probe_id) const {
  const Node* node = Find(id);
  return node != nullptr && node->current_probe >= probe_id;
}

}  // namespace orrery::replication

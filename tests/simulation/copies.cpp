#include "simulation/copies.h"

#include <algorithm>
#include <utility>

namespace orrery::simulation {

using causality::Dot;
using causality::VersionVector;

void Copies::HasClock(size_t node, SlotId slot, const VersionVector& applied) {
  nodes_[node].had.clocks[slot].Join(applied);
  if (!nodes_[node].dismissed) nodes_[node].owes.clocks[slot].Join(applied);
}

void Copies::HasHints(size_t node, size_t loop, const std::set<std::pair<SlotId, Dot>>& hints,
                      const IsPassedOn& is_passed_on) {
  nodes_[node].had.hints.insert(hints.begin(), hints.end());
  if (!nodes_[node].dismissed) nodes_[node].owes.hints.insert(hints.begin(), hints.end());
  for (const auto& hint : std::exchange(nodes_[node].hints_now[loop], hints)) {
    if (!hints.contains(hint) && is_passed_on(hint.first, hint.second)) nodes_[node].owes.hints.erase(hint);
  }
}

void Copies::RestartedWithClock(size_t node, SlotId slot, const VersionVector& applied) {
  nodes_[node].owes.clocks[slot].Meet(applied);
}

void Copies::RestartedWithHints(size_t node,
                                const std::vector<std::set<std::pair<SlotId, Dot>>>& hints_by_loop) {
  const auto is_kept = [&](const std::pair<SlotId, Dot>& hint) {
    return std::any_of(hints_by_loop.begin(), hints_by_loop.end(),
                       [&](const auto& hints) { return hints.contains(hint); });
  };
  for (const auto& [loop, before] : std::exchange(nodes_[node].hints_now, {})) {
    for (const auto& hint : before) {
      if (!is_kept(hint)) nodes_[node].owes.hints.erase(hint);
    }
  }
  for (size_t loop = 0; loop < hints_by_loop.size(); ++loop) {
    HasHints(node, loop, hints_by_loop[loop], [](SlotId, const Dot&) { return false; });
  }
}

void Copies::Dismiss(size_t node) {
  nodes_[node].owes = {};
  nodes_[node].dismissed = true;
}

bool Copies::Book::Has(SlotId slot, const Dot& dot) const {
  const auto clock = clocks.find(slot);
  return (clock != clocks.end() && clock->second.Covers(dot)) || hints.contains({slot, dot});
}

size_t Copies::CountHad(SlotId slot, const Dot& dot) const {
  return static_cast<size_t>(
      std::count_if(nodes_.begin(), nodes_.end(), [&](const Node& node) { return node.had.Has(slot, dot); }));
}

size_t Copies::CountOwing(SlotId slot, const causality::VersionVector& counters) const {
  return static_cast<size_t>(std::count_if(nodes_.begin(), nodes_.end(), [&](const Node& node) {
    const auto clock = node.owes.clocks.find(slot);
    return clock != node.owes.clocks.end() && clock->second.Descends(counters);
  }));
}

std::vector<size_t> Copies::Owing(SlotId slot, const Dot& dot) const {
  std::vector<size_t> owing;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].owes.Has(slot, dot)) owing.push_back(i);
  }
  return owing;
}

}  // namespace orrery::simulation

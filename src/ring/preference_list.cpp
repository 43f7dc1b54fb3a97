#include "orrery/ring/preference_list.h"

#include "orrery/base/check.h"
#include "orrery/ring/ring.h"

namespace orrery::ring {

std::span<const NodeId> PreferenceList::homes() const {
  return ring_->Homes(slot_);
}

size_t PreferenceList::size() const {
  return ring_->members().size();
}

const std::vector<NodeId>& PreferenceList::fallbacks() const {
  if (!computed_) {
    fallbacks_ = ring_->Fallbacks(slot_);
    computed_ = true;
  }
  return fallbacks_;
}

NodeId PreferenceList::At(size_t index) const {
  ORRERY_CHECK(index < size());
  const auto first = homes();
  return index < first.size() ? first[index] : fallbacks()[index - first.size()];
}

std::vector<NodeId> PreferenceList::All() const {
  std::vector<NodeId> all(homes().begin(), homes().end());
  all.insert(all.end(), fallbacks().begin(), fallbacks().end());
  return all;
}

std::vector<Placement> PreferenceList::Healthy(const std::function<bool(NodeId)>& alive) const {
  std::vector<Placement> placements;
  std::vector<NodeId> away;
  for (NodeId home : homes()) {
    if (alive(home)) {
      placements.push_back({home, NodeId{}});
    } else {
      away.push_back(home);
    }
  }
  if (away.empty()) return placements;
  size_t next = 0;
  for (NodeId fallback : fallbacks()) {
    if (next == away.size()) break;
    if (alive(fallback)) placements.push_back({fallback, away[next++]});
  }
  return placements;
}

}  // namespace orrery::ring

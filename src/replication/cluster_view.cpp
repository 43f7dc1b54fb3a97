#include "orrery/replication/cluster_view.h"

#include <algorithm>

namespace orrery::replication {

const membership::Member* ClusterView::Find(NodeId node) const {
  const auto it = std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.id == node; });
  return it == members.end() ? nullptr : &*it;
}

size_t ClusterView::OthersFindDown(NodeId node) const {
  const auto it = found_down.find(node);
  return it == found_down.end() ? 0 : it->second.size() - it->second.count(self);
}

size_t ClusterView::Homes() const { return std::min<size_t>(replication_factor, ring->members().size()); }

size_t ClusterView::R(uint8_t requested) const {
  return std::clamp<size_t>(requested != 0 ? requested : read_quorum, 1, std::max<size_t>(Homes(), 1));
}

size_t ClusterView::W(uint8_t requested) const {
  return std::clamp<size_t>(requested != 0 ? requested : write_quorum, 1, std::max<size_t>(Homes(), 1));
}

}  // namespace orrery::replication

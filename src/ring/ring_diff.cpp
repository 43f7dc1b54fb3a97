#include "orrery/ring/ring_diff.h"

#include <algorithm>

namespace orrery::ring {
namespace {

/// The homes of slot in `of` that are not homes of it in `other`, in order.
std::vector<NodeId> Missing(const Ring& of, const Ring& other, SlotId slot) {
  std::vector<NodeId> missing;
  for (NodeId home : of.Homes(slot)) {
    if (!other.IsHome(slot, home)) missing.push_back(home);
  }
  return missing;
}

}  // namespace

RingDiff RingDiff::Between(const Ring& before, const Ring& after) {
  RingDiff diff;
  for (uint32_t i = 0; i < kSlotCount; ++i) {
    const auto slot = static_cast<SlotId>(i);
    if (before.Coordinator(slot) != after.Coordinator(slot)) {
      diff.coordinators.push_back({slot, before.Coordinator(slot), after.Coordinator(slot)});
    }
    const std::vector<NodeId> departing = Missing(before, after, slot);
    const std::vector<NodeId> arriving = Missing(after, before, slot);
    for (size_t k = 0; k < std::max(departing.size(), arriving.size()); ++k) {
      diff.homes.push_back({slot, k < departing.size() ? departing[k] : NodeId{},
                            k < arriving.size() ? arriving[k] : NodeId{}});
    }
  }
  return diff;
}

}  // namespace orrery::ring

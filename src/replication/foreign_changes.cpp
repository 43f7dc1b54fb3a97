#include "orrery/replication/foreign_changes.h"

#include <algorithm>

#include "orrery/base/marks.h"

namespace orrery::replication {

void ForeignChanges::Note(SlotId slot, NodeId by) {
  const auto homes = seats_.Owners(slot);
  // Nobody asks for our own slots but ourselves.
  if (homes.empty() || homes.front() == self_ || homes.front() == by) return;
  if (ORRERY_MUTATION("foreign-changes-not-counted")) return;
  const NodeId first = homes.front();
  const auto at =
      std::find_if(counts_.begin(), counts_.end(), [&](const auto& count) { return count.first == first; });
  at == counts_.end() ? void(counts_.emplace_back(first, 1)) : void(++at->second);
}

uint64_t ForeignChanges::CountOf(NodeId first_home) const {
  const auto at = std::find_if(counts_.begin(), counts_.end(),
                               [&](const auto& count) { return count.first == first_home; });
  return 2 * ((at == counts_.end() ? 0 : at->second) + seats_.changes()) + start_;
}

bool ForeignChanges::Covers(SlotId slot, NodeId node) const {
  const auto homes = seats_.Owners(slot);
  return !homes.empty() && homes.front() == node;
}

}  // namespace orrery::replication

#include "orrery/replication/foreign_changes.h"

#include "orrery/base/marks.h"

namespace orrery::replication {

void ForeignChanges::Note(SlotId slot, NodeId by) {
  const auto homes = seats_.Owners(slot);
  // Nobody asks for our own slots but ourselves.
  if (homes.empty() || homes.front() == self_ || homes.front() == by) return;
  if (ORRERY_MUTATION("foreign-changes-not-counted")) return;
  ++counts_[homes.front()];
}

uint64_t ForeignChanges::CountOf(NodeId first_home) const {
  const auto at = counts_.find(first_home);
  // Twice the changes on an odd start: never 0.
  return 2 * ((at == counts_.end() ? 0 : at->second) + seats_.changes()) + start_;
}

bool ForeignChanges::Covers(SlotId slot, NodeId node) const {
  const auto homes = seats_.Owners(slot);
  return !homes.empty() && homes.front() == node;
}

}  // namespace orrery::replication

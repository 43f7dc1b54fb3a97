#pragma once

#include <string_view>

#include "orrery/causality/event.h"
#include "orrery/causality/slot_clock.h"
#include "orrery/causality/voided_set.h"

namespace orrery::causality {

/// The two ways a row ever changes. Both are pure; whoever calls them changes rows, clock and voided set in one batch.

/// One side of a merge: its clock and voided set, of the same instant as its rows.
struct Knowledge {
  const SlotClock& clock;
  const VoidedSet& voided;
};

/// Applies what an event does to this row. `before` is the replica's knowledge before the event.
void ApplyChange(const RowChange& change, const Knowledge& before, Row* row);

/// Erases what the scope removes from a row under its prefix. Whether anything was.
bool ApplyScope(const ScopeRemoval& scope, Row* row);

/// What the event removes that `clock` (the clock before the event) does not cover yet.
void VoidUnseen(const Event& event, const SlotClock& clock, VoidedSet* voided);

/// The one merge rule: a cell that both have stays (of an increment the later version); one that only one side has
/// stays unless the other side has seen it, and so removed it, or voided it.
Row MergeRows(std::string_view row_key, const Row& ours, const Knowledge& we, const Row& theirs, const Knowledge& they);

}  // namespace orrery::causality

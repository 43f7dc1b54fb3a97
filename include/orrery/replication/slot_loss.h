#pragma once

#include <map>
#include <vector>

#include "orrery/base/slot.h"
#include "orrery/base/status.h"
#include "orrery/replication/key_range.h"
#include "orrery/storage/lost_range.h"
#include "orrery/storage/row_store.h"

namespace orrery::replication {

/// What a slot has lost with table files that were taken out of the store (storage::LostRange), or to an
/// event or a merge that stopped half-way. Durable, in Table::kSlots, until the slot has been made anew: what
/// the store shows of such rows is absent, too old or too new, and a restart must not take it for the truth.
struct SlotLoss {
  bool state = false;          ///< the slot's clock, too: what is stored of it may be too old
  std::vector<KeyRange> rows;  ///< of them nothing is known
};

/// Notes, in the pending batch, what the ranges mean for each slot, beside what was noted before.
[[nodiscard]] Status NoteLosses(const std::vector<storage::LostRange>& ranges, storage::RowStore* store);
/// In the pending batch: in place of what was noted of the slot.
void NoteLoss(SlotId slot, const SlotLoss& loss, storage::RowStore* store);
/// All that is noted. An unreadable note means that every slot may have lost anything.
Result<std::map<SlotId, SlotLoss>> LoadLosses(const storage::RowStore& store);
/// In the pending batch: the slot is whole again.
void ForgetLoss(SlotId slot, storage::RowStore* store);

/// Hints may be among what was lost: events that this node has acknowledged as a fallback and does not have.
Result<bool> HasLostHints(const storage::RowStore& store);
void ForgetLostHints(storage::RowStore* store);

}  // namespace orrery::replication

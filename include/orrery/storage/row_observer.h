#pragma once

#include <string_view>

#include "orrery/base/slot.h"
#include "orrery/causality/row.h"
#include "orrery/storage/row_store.h"

namespace orrery::storage {

/// Told of every change of a row, whatever made it (own event, replica's event, merge), before it is put into the same
/// batch. Keeps the derived tables (kCounts, kExpiry, kIndex) right, which are never replicated. Must depend on the two
/// rows and the derived tables alone, never on clocks, so that they can be rebuilt. Called on the slot's loop.
class RowObserver {
 public:
  virtual ~RowObserver() = default;
  /// An absent row is an empty one. The store still holds `before`.
  virtual void OnRowChange(SlotId slot, std::string_view row_key, const causality::Row& before,
                           const causality::Row& after, RowStore* store) = 0;
};

}  // namespace orrery::storage

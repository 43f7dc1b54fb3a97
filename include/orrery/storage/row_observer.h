#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "orrery/base/slot.h"
#include "orrery/base/status.h"
#include "orrery/causality/row.h"
#include "orrery/storage/row_key.h"
#include "orrery/storage/row_store.h"

namespace orrery::storage {

/// A change of one row, before it is put. An absent row is an empty one.
struct ObservedChange {
  SlotId slot = 0;
  std::string_view row_key;
  const causality::Row& before;
  const causality::Row& after;
  /// What the change adds to the slot's digest, modulo 2^64.
  uint64_t digest_change = 0;
  /// False only if the slot has no row of a collection, before or after: then a key is its string row.
  bool slot_has_collections = true;
};

/// What a range of rows amounts to.
struct RowTotals {
  uint64_t rows = 0;
  uint64_t digest = 0;
};

/// Told of every change of a row, whatever made it (own event, replica's event, merge), before it is put into
/// the same batch; but not always where a string's sole value takes the place of another one in a slot
/// without collections, since nothing that is derived changes by that. Keeps the derived tables (kCounts,
/// kExpiry, kIndex) right, which are never replicated. Must depend on the rows and the derived tables alone,
/// never on clocks, so that they can be rebuilt. Called on the slot's loop. kCorruption: a derived entry
/// cannot be read.
class RowObserver {
 public:
  virtual ~RowObserver() = default;
  /// The store still holds `before`.
  [[nodiscard]] virtual Status OnRowChange(const ObservedChange& change, RowStore* store) = 0;
  /// All elements of one type of a key go at once, unread; the store still holds them. What they amounted to; nullopt:
  /// not known here, tell of each row.
  virtual Result<std::optional<RowTotals>> OnElementsRemoved(SlotId /*slot*/, std::string_view /*key_prefix*/,
                                                             RowTag /*tag*/, RowStore* /*store*/) {
    return std::optional<RowTotals>();
  }
  /// How many keys the store holds of one database of a slot; nullopt: not known here.
  virtual std::optional<uint64_t> CountKeys(SlotId /*slot*/, uint8_t /*db*/, const RowStore& /*store*/) const {
    return std::nullopt;
  }
};

}  // namespace orrery::storage

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "orrery/storage/row_observer.h"

namespace orrery::types {

/// Keeps what can be computed from rows but is wanted without reading them: keys per slot and database
/// (DBSIZE), the deadlines in order (purging), what each collection amounts to (KeySummary: type, HLEN, DEL),
/// and the orders of those types that have one (CountedIndex). In kCounts, kExpiry and kIndex, by the slot's
/// prefix; never replicated. Everything in the first two and in the summaries' counts is a pure function of
/// the slot's rows.
class DerivedIndex final : public storage::RowObserver {
 public:
  [[nodiscard]] Status OnRowChange(const storage::ObservedChange& change, storage::RowStore* store) override;
  Result<std::optional<storage::RowTotals>> OnElementsRemoved(SlotId slot, std::string_view key_prefix,
                                                              storage::RowTag tag,
                                                              storage::RowStore* store) override;
  std::optional<uint64_t> CountKeys(SlotId slot, uint8_t db, const storage::RowStore& store) const override;

  /// Computes the slot's entries anew from its rows, into the pending batch.
  [[nodiscard]] Status Rebuild(SlotId slot, storage::RowStore* store);
};

struct KeyCounts {
  uint64_t keys = 0;     ///< expired ones that are not purged yet included, as in Redis
  uint64_t expires = 0;  ///< of them, those with an end
};

/// Of one database of a slot, as committed or pending in the store.
KeyCounts CountKeys(SlotId slot, uint8_t db, const storage::RowStore& store);
/// All databases of all slots that hold keys, in one walk over the counts, however many slots there are.
using CountVisitor = std::function<void(SlotId slot, uint8_t db, const KeyCounts& counts)>;
void VisitCounts(const storage::RowStore& store, const CountVisitor& visit);

}  // namespace orrery::types

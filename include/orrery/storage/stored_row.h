#pragma once

#include <cstdint>
#include <string_view>

#include "orrery/base/slot.h"
#include "orrery/base/status.h"
#include "orrery/causality/row.h"
#include "orrery/storage/row_store.h"

namespace orrery::storage {

/// A row as the store has it, with what it counts for in its slot's digest. An absent row is empty and counts for nothing.
struct StoredRow {
  causality::Row row;
  uint64_t hash = 0;
};

/// What becomes of one row.
struct RowUpdate {
  StoredRow before;
  causality::Row after;
};

/// A row's part of the digest, which is the sum over all rows: a change costs one subtraction and one addition, in any
/// order.
uint64_t RowHash(std::string_view row_key, std::string_view bytes);

/// kCorruption: the bytes are no row. row_key is without the slot.
[[nodiscard]] Status DecodeStoredRow(std::string_view row_key, std::string_view bytes, StoredRow* stored);
/// As the store shows it now, pending changes included.
[[nodiscard]] Status ReadStoredRow(const RowStore& store, SlotId slot, std::string_view row_key, StoredRow* stored);

}  // namespace orrery::storage

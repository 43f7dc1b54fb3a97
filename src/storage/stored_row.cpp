#include "orrery/storage/stored_row.h"

#include "orrery/base/hash.h"
#include "orrery/storage/slot_row_key.h"

namespace orrery::storage {

uint64_t RowHash(std::string_view row_key, std::string_view bytes) {
  return Hash64(bytes, Hash64(row_key));
}

Status DecodeStoredRow(std::string_view row_key, std::string_view bytes, StoredRow* stored) {
  if (!causality::DecodeRow(bytes, &stored->row)) return Status::Corruption("row does not decode");
  stored->hash = RowHash(row_key, bytes);
  return Status::Ok();
}

Status ReadStoredRow(const RowStore& store, SlotId slot, std::string_view row_key, StoredRow* stored) {
  const auto bytes = store.View(Table::kRows, SlotRowKey(slot, row_key).view());
  if (!bytes.ok()) return bytes.status();
  return *bytes ? DecodeStoredRow(row_key, **bytes, stored) : Status::Ok();
}

}  // namespace orrery::storage

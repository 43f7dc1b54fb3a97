#include "orrery/types/derived_index.h"

#include <string>

#include "orrery/storage/row_key.h"
#include "orrery/types/expiry.h"
#include "orrery/types/key_view.h"

namespace orrery::types {

using causality::Row;
using storage::Table;

namespace {

std::string CountKey(SlotId slot, uint8_t db) {
  return storage::SlotPrefix(slot) + static_cast<char>(db);
}

std::string ExpiryKey(SlotId slot, uint64_t deadline_ms, std::string_view row_key) {
  std::string key = storage::SlotPrefix(slot);
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(deadline_ms >> shift));
  key.append(row_key);
  return key;
}

// Nothing is kept of an empty database, so that what was emptied equals what was never filled.
void PutCounts(SlotId slot, uint8_t db, const KeyCounts& counts, storage::RowStore* store) {
  if (counts.keys == 0) return store->Delete(Table::kCounts, CountKey(slot, db));
  std::string bytes;
  Encoder out(&bytes);
  out.PutVarint(counts.keys);
  out.PutVarint(counts.expires);
  store->Put(Table::kCounts, CountKey(slot, db), bytes);
}

}  // namespace

KeyCounts CountKeys(SlotId slot, uint8_t db, const storage::RowStore& store) {
  auto bytes = store.Get(Table::kCounts, CountKey(slot, db));
  KeyCounts counts;
  if (!bytes.ok() || !*bytes) return counts;
  Decoder in(**bytes);
  counts.keys = in.GetVarint();
  counts.expires = in.GetVarint();
  return counts;
}

void DerivedIndex::OnRowChange(SlotId slot, std::string_view row_key, const Row& before, const Row& after,
                               storage::RowStore* store) {
  const std::optional<uint64_t> old_deadline = DeadlineOf(before);
  const std::optional<uint64_t> new_deadline = DeadlineOf(after);
  if (old_deadline != new_deadline) {
    if (old_deadline) store->Delete(Table::kExpiry, ExpiryKey(slot, *old_deadline, row_key));
    if (new_deadline) store->Put(Table::kExpiry, ExpiryKey(slot, *new_deadline, row_key), "");
  }
  const bool was = HasValue(before);
  const bool is = HasValue(after);
  const bool had_end = was && old_deadline;
  const bool has_end = is && new_deadline;
  if (was == is && had_end == has_end) return;
  const auto db = static_cast<uint8_t>(row_key.front());
  KeyCounts counts = CountKeys(slot, db, *store);
  counts.keys = counts.keys + (is ? 1 : 0) - (was ? 1 : 0);
  counts.expires = counts.expires + (has_end ? 1 : 0) - (had_end ? 1 : 0);
  PutCounts(slot, db, counts, store);
}

Status DerivedIndex::Rebuild(SlotId slot, storage::RowStore* store) {
  const std::string prefix = storage::SlotPrefix(slot);
  store->DeletePrefix(Table::kCounts, prefix);
  store->DeletePrefix(Table::kExpiry, prefix);
  // The walk is over the rows; what changes meanwhile is in other tables.
  auto cursor = store->Scan(Table::kRows, prefix);
  for (; cursor->Valid(); cursor->Next()) {
    Row row;
    if (!causality::DecodeRow(cursor->value(), &row)) return Status::Corruption("row does not decode");
    OnRowChange(slot, cursor->key().substr(prefix.size()), Row(), row, store);
  }
  return cursor->status();
}

}  // namespace orrery::types

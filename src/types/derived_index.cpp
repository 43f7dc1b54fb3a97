#include "orrery/types/derived_index.h"

#include <string>

#include "orrery/storage/row_key.h"
#include "orrery/types/expiry.h"
#include "orrery/types/key_view.h"

namespace orrery::types {

using causality::Row;
using storage::ExpiryKey;
using storage::Table;

namespace {

std::string CountKey(SlotId slot, uint8_t db) {
  return storage::SlotPrefix(slot) + static_cast<char>(db);
}

KeyCounts ParseCounts(std::string_view bytes) {
  Decoder in(bytes);
  KeyCounts counts;
  counts.keys = in.GetVarint();
  counts.expires = in.GetVarint();
  return counts;
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
  const auto bytes = store.View(Table::kCounts, CountKey(slot, db));
  return bytes.ok() && *bytes ? ParseCounts(**bytes) : KeyCounts();
}

void VisitCounts(const storage::RowStore& store, const CountVisitor& visit) {
  for (auto cursor = store.Scan(Table::kCounts, ""); cursor->Valid(); cursor->Next()) {
    const std::string_view key = cursor->key();
    if (key.size() != storage::kSlotPrefixBytes + 1) continue;
    const auto slot = static_cast<SlotId>((static_cast<uint8_t>(key[0]) << 8) | static_cast<uint8_t>(key[1]));
    visit(slot, static_cast<uint8_t>(key[2]), ParseCounts(cursor->value()));
  }
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

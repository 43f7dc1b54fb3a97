#include "orrery/types/derived_index.h"

#include <algorithm>
#include <string>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/storage/row_key.h"
#include "orrery/storage/stored_row.h"
#include "orrery/types/counted_index.h"
#include "orrery/types/element.h"
#include "orrery/types/expiry.h"
#include "orrery/types/key_summary.h"

namespace orrery::types {

using causality::Cell;
using causality::CellKind;
using causality::HybridTime;
using causality::Row;
using storage::ExpiryKey;
using storage::ObservedChange;
using storage::RowTag;
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

Result<KeyCounts> ReadCounts(SlotId slot, uint8_t db, const storage::RowStore& store) {
  const auto bytes = store.View(Table::kCounts, CountKey(slot, db));
  if (!bytes.ok()) return bytes.status();
  return *bytes ? ParseCounts(**bytes) : KeyCounts();
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

// What a key counts for in its database: any type of it, and the end of any of them.
struct Counted {
  bool string = false;
  bool string_ends = false;
  bool collection = false;
  bool collection_ends = false;

  bool is_key() const { return string || collection; }
  bool ends() const { return (string && string_ends) || (collection && collection_ends); }
};

Status Recount(SlotId slot, std::string_view row_key, const Counted& before, const Counted& after,
               storage::RowStore* store) {
  if (before.is_key() == after.is_key() && before.ends() == after.ends()) return Status::Ok();
  const auto db = static_cast<uint8_t>(row_key.front());
  auto counts = ReadCounts(slot, db, *store);
  if (!counts.ok()) return counts.status();
  if ((counts->keys == 0 && before.is_key()) || (counts->expires == 0 && before.ends())) {
    return Status::Corruption("more keys go than were counted");
  }
  counts->keys = counts->keys + (after.is_key() ? 1 : 0) - (before.is_key() ? 1 : 0);
  counts->expires = counts->expires + (after.ends() ? 1 : 0) - (before.ends() ? 1 : 0);
  PutCounts(slot, db, *counts, store);
  return Status::Ok();
}

// Whether the row has something to show, and no end.
bool StaysShown(const Row& row) {
  return !row.empty() && std::none_of(row.cells.begin(), row.cells.end(),
                                      [](const Cell& cell) { return cell.kind == CellKind::kExpiry; });
}

void CountString(const Row& row, Counted* counted) {
  counted->string = row.HasValue();
  counted->string_ends = DeadlineOf(row).has_value();
}

void CountCollection(const KeySummary& summary, Counted* counted) {
  counted->collection = summary.elements() > 0;
  counted->collection_ends = summary.has_head;
}

// The row as the store has it now, which is how it is before a change of another one of its key.
Status ReadString(SlotId slot, std::string_view key_prefix, const storage::RowStore& store, Row* row) {
  std::string key = storage::WithSlot(slot, key_prefix);
  key.push_back(static_cast<char>(RowTag::kString));
  const auto bytes = store.View(Table::kRows, key);
  if (!bytes.ok()) return bytes.status();
  if (*bytes && !causality::DecodeRow(**bytes, row)) return Status::Corruption("row does not decode");
  return Status::Ok();
}

HybridTime NewestValueTime(const Row& row) {
  HybridTime newest = 0;
  for (const Cell& cell : row.cells) {
    if (cell.kind != CellKind::kExpiry) newest = std::max(newest, cell.hlc);
  }
  return newest;
}

void CountElement(const ObservedChange& change, TagSummary* tag) {
  tag->elements = tag->elements + (change.after.HasValue() ? 1 : 0) - (change.before.HasValue() ? 1 : 0);
  tag->rows = tag->rows + (change.after.empty() ? 0 : 1) - (change.before.empty() ? 0 : 1);
  tag->digest += change.digest_change;
  if (tag->elements == 0) {
    tag->newest = 0;
    tag->newest_is_exact = true;
    return;
  }
  const HybridTime before = NewestValueTime(change.before);
  const HybridTime after = NewestValueTime(change.after);
  if (after >= tag->newest) {
    tag->newest = after;
    tag->newest_is_exact = true;
  } else if (before == tag->newest) {
    tag->newest_is_exact = false;
  }
}

// A string's row in a slot that has collections: one may stand beside it.
Status OnStringChange(const ObservedChange& change, std::string_view key_prefix, storage::RowStore* store) {
  Counted before, after;
  CountString(change.before, &before);
  CountString(change.after, &after);
  if (change.slot_has_collections && (before.is_key() != after.is_key() || before.ends() != after.ends())) {
    auto summary = ReadSummary(change.slot, key_prefix, *store);
    if (!summary.ok()) return summary.status();
    CountCollection(*summary, &before);
    CountCollection(*summary, &after);
    if (!summary->empty() && summary->has_string != after.string) {
      summary->has_string = after.string;
      WriteSummary(change.slot, key_prefix, *summary, store);
    }
  }
  return Recount(change.slot, change.row_key, before, after, store);
}

// What the key counts for changes only when its first element or head comes, or its last one goes.
Status RecountCollection(SlotId slot, std::string_view key_prefix, const KeySummary& was, KeySummary* is,
                         storage::RowStore* store) {
  Counted before, after;
  CountCollection(was, &before);
  CountCollection(*is, &after);
  if (was.empty() || before.is_key() != after.is_key() || before.ends() != after.ends()) {
    Row string;
    if (was.empty() || was.has_string) {
      if (Status s = ReadString(slot, key_prefix, *store, &string); !s.ok()) return s;
    }
    CountString(string, &before);
    CountString(string, &after);
    is->has_string = after.string;
    if (Status s = Recount(slot, key_prefix, before, after, store); !s.ok()) return s;
  }
  WriteSummary(slot, key_prefix, *is, store);
  return Status::Ok();
}

// Rows of the one order that a type may keep beside its rows.
Status Reorder(const ObservedChange& change, const storage::RowKeyParts& parts, storage::RowStore* store) {
  const auto before = CountedOrderOf(parts.tag, parts.element, change.before);
  const auto after = CountedOrderOf(parts.tag, parts.element, change.after);
  if (before == after) return Status::Ok();
  CountedIndexWriter index(
      store, storage::WithSlot(change.slot, change.row_key.substr(0, parts.key_prefix.size() + 1)));
  if (before) {
    if (Status s = index.Erase(*before); !s.ok()) return s;
  }
  return after ? index.Insert(*after) : Status::Ok();
}

Status OnCollectionChange(const ObservedChange& change, const storage::RowKeyParts& parts,
                          storage::RowStore* store) {
  auto summary = ReadSummary(change.slot, parts.key_prefix, *store);
  if (!summary.ok()) return summary.status();
  const KeySummary before = *summary;
  if (parts.tag == RowTag::kHead) {
    summary->has_head = !change.after.empty();
  } else {
    CountElement(change, &summary->of(parts.tag));
    if (Status s = Reorder(change, parts, store); !s.ok()) return s;
  }
  return RecountCollection(change.slot, parts.key_prefix, before, &*summary, store);
}

}  // namespace

KeyCounts CountKeys(SlotId slot, uint8_t db, const storage::RowStore& store) {
  const auto counts = ReadCounts(slot, db, store);
  return counts.ok() ? *counts : KeyCounts();
}

void VisitCounts(const storage::RowStore& store, const CountVisitor& visit) {
  for (auto cursor = store.Scan(Table::kCounts, ""); cursor->Valid(); cursor->Next()) {
    const std::string_view key = cursor->key();
    if (key.size() != storage::kSlotPrefixBytes + 1) continue;
    const auto slot = static_cast<SlotId>((static_cast<uint8_t>(key[0]) << 8) | static_cast<uint8_t>(key[1]));
    visit(slot, static_cast<uint8_t>(key[2]), ParseCounts(cursor->value()));
  }
}

Status DerivedIndex::OnRowChange(const ObservedChange& change, storage::RowStore* store) {
  // Most writes: a string is there and stays, which changes nothing that is kept here.
  if (!change.slot_has_collections && StaysShown(change.before) && StaysShown(change.after))
    return Status::Ok();
  const std::optional<uint64_t> old_deadline = DeadlineOf(change.before);
  const std::optional<uint64_t> new_deadline = DeadlineOf(change.after);
  if (old_deadline != new_deadline) {
    if (old_deadline && !ORRERY_MUTATION("ends-outlive-their-rows")) {
      store->Delete(Table::kExpiry, ExpiryKey(change.slot, *old_deadline, change.row_key));
    }
    if (new_deadline) store->Put(Table::kExpiry, ExpiryKey(change.slot, *new_deadline, change.row_key), "");
  }
  const auto parts = storage::SplitRowKey(change.row_key);
  if (!parts) return Status::Corruption("row key does not parse");
  if (parts->tag == RowTag::kString) return OnStringChange(change, parts->key_prefix, store);
  return OnCollectionChange(change, *parts, store);
}

Result<std::optional<storage::RowTotals>> DerivedIndex::OnElementsRemoved(SlotId slot,
                                                                          std::string_view key_prefix,
                                                                          RowTag tag,
                                                                          storage::RowStore* store) {
  auto summary = ReadSummary(slot, key_prefix, *store);
  if (!summary.ok()) return summary.status();
  const KeySummary before = *summary;
  const storage::RowTotals totals{before.of(tag).rows, before.of(tag).digest};
  if (totals.rows == 0) return std::optional(totals);
  summary->of(tag) = TagSummary();
  std::string prefix = storage::WithSlot(slot, key_prefix);
  prefix.push_back(static_cast<char>(tag));
  store->DeletePrefix(Table::kIndex, prefix);
  if (Status s = RecountCollection(slot, key_prefix, before, &*summary, store); !s.ok()) return s;
  return std::optional(totals);
}

std::optional<uint64_t> DerivedIndex::CountKeys(SlotId slot, uint8_t db,
                                                const storage::RowStore& store) const {
  const auto counts = ReadCounts(slot, db, store);
  return counts.ok() ? std::optional(counts->keys) : std::nullopt;
}

Status DerivedIndex::Rebuild(SlotId slot, storage::RowStore* store) {
  const std::string prefix = storage::SlotPrefix(slot);
  for (const Table table : {Table::kCounts, Table::kExpiry, Table::kIndex})
    store->DeletePrefix(table, prefix);
  // The walk is over the rows; what changes meanwhile is in other tables.
  auto cursor = store->Scan(Table::kRows, prefix);
  for (; cursor->Valid(); cursor->Next()) {
    Row row;
    if (!causality::DecodeRow(cursor->value(), &row)) return Status::Corruption("row does not decode");
    const std::string_view row_key = cursor->key().substr(prefix.size());
    const uint64_t digest = storage::RowHash(row_key, cursor->value());
    if (Status s = OnRowChange({slot, row_key, Row(), row, digest, true}, store); !s.ok()) return s;
  }
  return cursor->status();
}

}  // namespace orrery::types

#include "orrery/replication/slot_replica.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "orrery/base/check.h"
#include "orrery/base/marks.h"
#include "orrery/storage/row_key.h"
#include "orrery/storage/slot_row_key.h"

namespace orrery::replication {

using causality::Event;
using causality::Knowledge;
using causality::Row;
using causality::RowChange;
using causality::SlotClock;
using storage::DecodeStoredRow;
using storage::ReadStoredRow;
using storage::RowUpdate;
using storage::StoredRow;
using storage::Table;

namespace {

constexpr uint8_t kFormat = 2;
// The memory in which rows are encoded; that of a larger one goes with it.
constexpr size_t kRowBytesKept = 4096;

std::string SlotKey(SlotId slot) { return storage::SlotPrefix(slot); }

// What an event leaves of a row is little, as a rule: what it removes is not copied first.
Row CopyWithout(const Row& row, const std::vector<causality::CellId>& removed) {
  Row rest;
  for (const causality::Cell& cell : row.cells) {
    if (std::find(removed.begin(), removed.end(), cell.id()) == removed.end()) rest.cells.push_back(cell);
  }
  return rest;
}

}  // namespace

// What becomes of one row; gathered while a cursor walks, written when it is done.
struct SlotReplica::KeyedUpdate {
  std::string row_key;
  RowUpdate update;
};

Status SlotReplica::Load() {
  auto bytes = store_->Get(Table::kSlots, SlotKey(id_));
  loaded_ = bytes.ok() && (!*bytes || DecodeOwn(**bytes));
  if (loaded_) return Status::Ok();
  Forget();
  return bytes.ok() ? Status::Corruption("slot state does not decode") : bytes.status();
}

Status SlotReplica::LoadFrom(std::string_view own_value) {
  loaded_ = DecodeOwn(own_value);
  if (loaded_) return Status::Ok();
  Forget();
  return Status::Corruption("slot state does not decode");
}

bool SlotReplica::DecodeOwn(std::string_view bytes) {
  const auto own = SlotJournal::ParseOwn(bytes);
  if (!own) return false;
  state_as_of_ = own->as_of;
  Decoder in(own->state);
  const uint8_t format = in.GetU8();
  clock_ = SlotClock::Decode(&in);
  voided_ = causality::VoidedSet::Decode(&in);
  digest_ = in.GetU64();
  row_count_ = in.GetVarint();
  collection_rows_ = in.GetVarint();
  newest_ = in.GetU64();
  synced_ = clock_;
  return in.done() && format == kFormat;
}

std::string SlotReplica::State() const {
  std::string bytes;
  AppendState(&bytes);
  return bytes;
}

void SlotReplica::AppendState(std::string* bytes) const {
  if (is_aside_) {
    bytes->append(aside_state_);
    return;
  }
  Encoder out(bytes);
  out.PutU8(kFormat);
  clock_.Encode(&out);
  voided_.Encode(&out);
  PieceEncoder<4 * Encoder::kVarintBytesMax> tail;
  tail.PutU64(digest_);
  tail.PutVarint(row_count_);
  tail.PutVarint(collection_rows_);
  tail.PutU64(newest_);
  out.PutRaw(tail.bytes());
}

SlotReplica::Fit SlotReplica::Classify(const causality::Dot& dot) const {
  if (clock_.Covers(dot)) return ORRERY_MUTATION("duplicates-applied") ? Fit::kNext : Fit::kDuplicate;
  if (ORRERY_MUTATION("early-events-applied")) return Fit::kNext;
  return clock_.Get(dot.actor) + 1 == dot.counter ? Fit::kNext : Fit::kGap;
}

Status SlotReplica::Apply(const Event& event, const causality::EventPtr& encoded) {
  has_written_ = false;
  if (Status s = ApplyScopes(event); !s.ok()) return s;
  if (Status s = ApplyChanges(event); !s.ok()) return s;
  NoteApplied(event, encoded);
  return Status::Ok();
}

bool SlotReplica::TryReplace(const causality::Replacement& event, const causality::EventPtr& encoded) {
  const bool is_row_alone = watch_ == nullptr && voided_.empty() && collection_rows_ == 0;
  if (!is_row_alone || !clock_.Covers(event.removed.dot)) return false;
  const storage::SlotRowKey key(id_, event.row_key);
  const auto stored = store_->View(Table::kRows, key.view());
  if (!stored.ok() || !*stored) return false;
  const auto there = causality::SoleValueId(**stored);
  if (there != event.removed && !(there && ORRERY_MUTATION("replaces-whatever-is-there"))) return false;
  ORRERY_MARK("value replaced by its bytes");
  has_written_ = true;
  digest_ += storage::RowHash(event.row_key, event.row) - storage::RowHash(event.row_key, **stored);
  store_->Put(Table::kRows, key.view(), event.row);
  NoteAdvanced(event.dot, event.hlc, encoded);
  return true;
}

Status SlotReplica::ApplyOwn(const Event& event, const std::vector<RowUpdate>& rows,
                             const causality::EventPtr& encoded) {
  ORRERY_CHECK(event.scopes.empty() && rows.size() == event.changes.size());
  has_written_ = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].after == rows[i].before.row) continue;
    if (Status s = WriteRow(event.changes[i].row_key, rows[i].before, rows[i].after); !s.ok()) return s;
  }
  NoteApplied(event, encoded);
  return Status::Ok();
}

void SlotReplica::NoteApplied(const Event& event, const causality::EventPtr& encoded) {
  causality::VoidUnseen(event, clock_, &voided_);
  NoteAdvanced(event.dot, event.hlc, encoded);
}

void SlotReplica::NoteAdvanced(const causality::Dot& dot, causality::HybridTime hlc,
                               const causality::EventPtr& encoded) {
  if (clock_.Get(dot.actor) + 1 == dot.counter) clock_.Advance(dot);
  voided_.Prune(clock_);
  newest_ = std::max(newest_, hlc);
  dirty_ = true;
  if (encoded != nullptr) backlog_.Append(encoded);
}

Status SlotReplica::ApplyScopes(const Event& event) {
  for (const auto& scope : event.scopes) {
    // What is removed is all that we have, as a rule: then nobody needs to look at it cell by cell.
    const bool takes_all = scope.covered.CoversEveryDotOf(clock_);
    if (!takes_all) ORRERY_MARK("scope removal of less than all");
    if (Status s = takes_all ? EraseUnder(scope.prefix) : ApplyScope(scope); !s.ok()) return s;
  }
  return Status::Ok();
}

Status SlotReplica::ApplyScope(const causality::ScopeRemoval& scope) {
  const size_t slot_bytes = SlotKey(id_).size();
  std::vector<KeyedUpdate> updates;
  auto cursor = store_->Scan(Table::kRows, storage::WithSlot(id_, scope.prefix));
  for (; cursor->Valid(); cursor->Next()) {
    KeyedUpdate keyed{std::string(cursor->key().substr(slot_bytes)), {}};
    RowUpdate& update = keyed.update;
    if (Status s = DecodeStoredRow(keyed.row_key, cursor->value(), &update.before); !s.ok()) return s;
    update.after = update.before.row;
    if (causality::ApplyScope(scope, &update.after)) updates.push_back(std::move(keyed));
  }
  if (!cursor->status().ok()) return cursor->status();
  cursor.reset();
  return WriteRows(updates);
}

// Removes all rows under the prefix: of the slot, of databases, of a key, or of one type of a key.
Status SlotReplica::EraseUnder(std::string_view prefix) {
  if (prefix.empty()) {
    EraseAllRows();
    return Status::Ok();
  }
  const size_t key_prefix_size = storage::KeyPrefixSize(prefix);
  if (key_prefix_size == 0) return EraseKeys(prefix);
  if (key_prefix_size == prefix.size()) return EraseKey(prefix);
  const auto parts = storage::SplitRowKey(prefix);
  return parts && parts->element.empty() ? EraseTag(parts->key_prefix, parts->tag) : EraseRows(prefix);
}

// Strings row by row, collections unread.
Status SlotReplica::EraseKeys(std::string_view prefix) {
  const std::string slot = SlotKey(id_);
  std::string from;
  while (true) {
    std::vector<KeyedUpdate> strings;
    std::optional<std::string> collection;
    auto cursor = store_->Scan(Table::kRows, slot + std::string(prefix), from);
    for (; cursor->Valid() && !collection; cursor->Next()) {
      KeyedUpdate keyed{std::string(cursor->key().substr(slot.size())), {}};
      if (storage::IsCollectionRow(keyed.row_key)) {
        collection = keyed.row_key.substr(0, storage::KeyPrefixSize(keyed.row_key));
      } else if (Status s = DecodeStoredRow(keyed.row_key, cursor->value(), &keyed.update.before); !s.ok()) {
        return s;
      } else {
        strings.push_back(std::move(keyed));
      }
    }
    if (!cursor->status().ok()) return cursor->status();
    cursor.reset();
    if (Status s = WriteRows(strings); !s.ok()) return s;
    if (!collection) return Status::Ok();
    if (Status s = EraseKey(*collection); !s.ok()) return s;
    from = slot + storage::AfterKey(*collection);
  }
}

Status SlotReplica::EraseKey(std::string_view key_prefix) {
  for (const storage::RowTag tag : storage::kRowTags) {
    if (Status s = EraseTag(key_prefix, tag); !s.ok()) return s;
  }
  return Status::Ok();
}

// Elements go by what they are known to amount to, however many they are.
Status SlotReplica::EraseTag(std::string_view key_prefix, storage::RowTag tag) {
  std::string prefix(key_prefix);
  prefix.push_back(static_cast<char>(tag));
  if (tag == storage::RowTag::kHead || tag == storage::RowTag::kString) {
    StoredRow stored;
    if (Status s = ReadStoredRow(*store_, id_, prefix, &stored); !s.ok()) return s;
    return stored.row.empty() ? Status::Ok() : WriteRow(prefix, stored, Row());
  }
  has_written_ = true;
  const auto totals = observer_->OnElementsRemoved(id_, key_prefix, tag, store_);
  if (!totals.ok()) return totals.status();
  if (!*totals) return EraseRows(prefix);
  const storage::RowTotals& gone = **totals;
  if (gone.rows == 0) return Status::Ok();
  digest_ -= gone.digest;
  row_count_ -= gone.rows;
  collection_rows_ -= gone.rows;
  if (watch_ != nullptr) watch_->OnRangeErased(KeyRange::Under(prefix));
  store_->DeletePrefix(Table::kRows, storage::WithSlot(id_, prefix));
  return Status::Ok();
}

Status SlotReplica::EraseRows(std::string_view prefix) {
  causality::ScopeRemoval all{std::string(prefix), clock_};
  return ApplyScope(all);
}

Status SlotReplica::WriteRows(const std::vector<KeyedUpdate>& updates) {
  for (const auto& [row_key, update] : updates) {
    if (Status s = WriteRow(row_key, update.before, update.after); !s.ok()) return s;
  }
  return Status::Ok();
}

// Reads everything before it writes anything: a row that cannot be read leaves the batch as it was.
Status SlotReplica::ApplyChanges(const Event& event) {
  const Knowledge before{clock_, voided_};
  RowUpdate only;  // nearly all events change one row
  std::vector<RowUpdate> several(event.changes.size() > 1 ? event.changes.size() : 0);
  const std::span<RowUpdate> updates = event.changes.size() == 1 ? std::span(&only, 1) : std::span(several);
  for (size_t i = 0; i < updates.size(); ++i) {
    const RowChange& change = event.changes[i];
    if (Status s = ReadStoredRow(*store_, id_, change.row_key, &updates[i].before); !s.ok()) return s;
    updates[i].after = CopyWithout(updates[i].before.row, change.removed);
    causality::ApplyChange(change, before, &updates[i].after);
  }
  for (size_t i = 0; i < updates.size(); ++i) {
    const RowUpdate& update = updates[i];
    if (update.after == update.before.row) continue;
    if (Status s = WriteRow(event.changes[i].row_key, update.before, update.after); !s.ok()) return s;
  }
  return Status::Ok();
}

Status SlotReplica::WriteRow(std::string_view row_key, const StoredRow& before, const Row& after) {
  has_written_ = true;
  if (watch_ != nullptr) watch_->OnRowChange(row_key, before.row);
  const bool was = !before.row.empty();
  const bool is = !after.empty();
  static thread_local std::string bytes;
  bytes.clear();
  if (is) causality::EncodeRow(after, &bytes);
  const uint64_t digest_change = (is ? storage::RowHash(row_key, bytes) : 0) - (was ? before.hash : 0);
  const uint64_t row_change = (is ? uint64_t{1} : 0) - (was ? 1 : 0);
  const bool in_collection = storage::IsCollectionRow(row_key);
  const bool has_collections = in_collection || collection_rows_ > 0;
  const Status observed =
      observer_->OnRowChange({id_, row_key, before.row, after, digest_change, has_collections}, store_);
  if (!observed.ok()) return observed;
  digest_ += digest_change;
  row_count_ += row_change;
  if (in_collection) collection_rows_ += row_change;
  const storage::SlotRowKey key(id_, row_key);
  if (!is) {
    store_->Delete(Table::kRows, key.view());
  } else if (bytes.size() <= kRowBytesKept) {
    store_->Put(Table::kRows, key.view(), bytes);
  } else {
    store_->PutOwned(Table::kRows, key.view(), std::exchange(bytes, {}));
  }
  return Status::Ok();
}

Status SlotReplica::Merge(const SlotImage& theirs, const std::vector<KeyRange>& where) {
  has_written_ = false;
  std::vector<KeyedUpdate> updates;
  for (const KeyRange& range : where) {
    if (Status s = MergeRange(theirs, range, &updates); !s.ok()) return s;
  }
  if (!clock_.CoversAll(theirs.clock) && !theirs.clock.CoversAll(clock_)) ORRERY_MARK("merge of concurrent clocks");

  for (const auto& [row_key, update] : updates) {
    if (Status s = WriteRow(row_key, update.before, update.after); !s.ok()) return s;
    newest_ = std::max(newest_, update.after.MaxHlc());
  }
  clock_.Join(theirs.clock);
  if (!ORRERY_MUTATION("merge-forgets-what-the-other-voided")) voided_.Join(theirs.voided);
  voided_.Prune(clock_);
  dirty_ = true;
  return Status::Ok();
}

// Walks our rows and theirs side by side.
Status SlotReplica::MergeRange(const SlotImage& theirs, const KeyRange& range,
                               std::vector<KeyedUpdate>* updates) const {
  const Knowledge we{clock_, voided_};
  const Knowledge they{theirs.clock, theirs.voided};
  const size_t slot_bytes = SlotKey(id_).size();
  auto cursor = store_->Scan(Table::kRows, SlotKey(id_), storage::WithSlot(id_, range.begin));
  auto peer = theirs.rows.lower_bound(range.begin);
  const auto peer_end = range.end.empty() ? theirs.rows.end() : theirs.rows.lower_bound(range.end);
  const auto consider = [&](std::string_view row_key, StoredRow ours, const Row& other) {
    Row merged = causality::MergeRows(row_key, ours.row, we, other, they);
    if (merged != ours.row) updates->push_back({std::string(row_key), {std::move(ours), std::move(merged)}});
  };
  for (; cursor->Valid(); cursor->Next()) {
    const std::string row_key(cursor->key().substr(slot_bytes));
    if (!range.IsBefore(row_key)) break;
    for (; peer != peer_end && peer->first < row_key; ++peer) consider(peer->first, {}, peer->second);
    StoredRow ours;
    if (Status s = DecodeStoredRow(row_key, cursor->value(), &ours); !s.ok()) return s;
    const bool both = peer != peer_end && peer->first == row_key;
    consider(row_key, std::move(ours), both ? peer->second : Row());
    if (both) ++peer;
  }
  if (!cursor->status().ok()) return cursor->status();
  for (; peer != peer_end; ++peer) consider(peer->first, {}, peer->second);
  return Status::Ok();
}

Result<SlotImage> SlotReplica::Image() const {
  SlotImage image{clock_, voided_, {}, {}};
  auto snapshot = store_->TakeSnapshot();
  auto cursor = snapshot->Scan(Table::kRows, SlotKey(id_));
  for (; cursor->Valid(); cursor->Next()) {
    Row row;
    if (!causality::DecodeRow(cursor->value(), &row)) return Status::Corruption("row does not decode");
    image.rows.emplace(std::string(cursor->key().substr(SlotKey(id_).size())), std::move(row));
  }
  if (!cursor->status().ok()) return cursor->status();
  return image;
}

void SlotReplica::EraseAllRows() {
  has_written_ = true;
  if (watch_ != nullptr) watch_->OnRangeErased(KeyRange());
  for (const Table table : {Table::kRows, Table::kCounts, Table::kExpiry, Table::kIndex}) {
    store_->DeletePrefix(table, SlotKey(id_));
  }
  digest_ = 0;
  row_count_ = 0;
  collection_rows_ = 0;
}

void SlotReplica::Reset() {
  EraseAllRows();
  if (std::exchange(has_loss_, false)) ForgetLoss(id_, store_);
  loaded_ = true;
  half_merged_ = false;
  half_done_ = false;
  unknown_rows_.clear();
  clock_ = SlotClock();
  synced_ = SlotClock();
  voided_ = causality::VoidedSet();
  backlog_ = Backlog();
  dirty_ = true;
}

void SlotReplica::CloseLives(NodeId node, uint64_t incarnation) {
  clock_.RaiseFloor(node, incarnation);
  voided_.Prune(clock_);
  dirty_ = true;
}

}  // namespace orrery::replication

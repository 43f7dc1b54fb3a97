#include "storage/buffered_row_store.h"

#include <algorithm>
#include <utility>

#include "orrery/base/check.h"
#include "storage/merged_cursor.h"

namespace orrery::storage {

Result<std::optional<std::string_view>> BufferedRowStore::View(Table table, std::string_view key) const {
  const uint64_t hash = HashRow(table, key);
  if (!pending_.empty()) {
    if (const PendingBatch::Change* change = pending_.Find(table, key, hash)) {
      if (change->deleted) return std::optional<std::string_view>();
      return std::optional<std::string_view>(change->value);
    }
    if (pending_.InDeletedPrefix(table, key)) return std::optional<std::string_view>();
  }
  return ReadCommitted(table, key, hash);
}

void BufferedRowStore::Put(Table table, std::string_view key, std::string_view value) {
  pending_.Put(table, key, HashRow(table, key), value);
}

void BufferedRowStore::PutOwned(Table table, std::string_view key, std::string value) {
  pending_.PutOwned(table, key, HashRow(table, key), std::move(value));
}

void BufferedRowStore::Delete(Table table, std::string_view key) {
  pending_.Delete(table, key, HashRow(table, key));
}

void BufferedRowStore::DeletePrefix(Table table, std::string_view prefix) {
  pending_.DeletePrefix(table, prefix);
}

std::unique_ptr<Cursor> BufferedRowStore::Scan(Table table, std::string_view prefix,
                                               std::string_view from) const {
  const std::string_view start = std::max(prefix, from);
  auto committed = ScanCommitted(table, prefix, start);
  if (!pending_.Touches(table)) return committed;
  return std::make_unique<MergedCursor>(std::move(committed), pending_, table, prefix, start);
}

Status BufferedRowStore::Commit(Durability durability) {
  if (failure_.ok()) {
    Status written = Write(pending_, durability);
    if (!written.ok()) Fail(written);
  }
  pending_.Clear();
  return failure_;
}

void BufferedRowStore::Fail(const Status& cause) {
  if (failure_.ok()) failure_ = cause;
}

Status BufferedRowStore::Reopen() {
  if (failure_.ok()) return Status::Ok();
  pending_.Clear();
  Status opened = OpenAnew();
  if (opened.ok()) failure_ = Status::Ok();
  return opened;
}

std::unique_ptr<Snapshot> BufferedRowStore::TakeSnapshot() const {
  ORRERY_CHECK(!HasPending());
  return SnapshotCommitted();
}

}  // namespace orrery::storage

#include "storage/rocks_cursor.h"

#include <algorithm>

#include "storage/pending_batch.h"
#include "storage/rocks_options.h"
#include "storage/rocks_status.h"

namespace orrery::storage {

RocksCursor::RocksCursor(RocksEngine* engine, Table table, std::string_view prefix, std::string_view start,
                         const rocksdb::Snapshot* snapshot)
    : prefix_(prefix), end_(PrefixEnd(prefix)), end_slice_(end_) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  if (!end_.empty()) options.iterate_upper_bound = &end_slice_;
  const bool is_wide = prefix_.size() < kFilterPrefixBytes;
  options.total_order_seek = is_wide || !HasPrefixFilter(table);
  // A walk over a slot or a table must not push the hot blocks out.
  options.fill_cache = !is_wide || !HasPrefixFilter(table);
  iterator_.reset(engine->db().NewIterator(options, engine->family(table)));
  iterator_->Seek(ToSlice(start));
}

bool RocksCursor::Valid() const {
  return iterator_->Valid() && (!end_.empty() || ToView(iterator_->key()).starts_with(prefix_));
}

std::string_view RocksCursor::key() const {
  return ToView(iterator_->key());
}
std::string_view RocksCursor::value() const {
  return ToView(iterator_->value());
}
Status RocksCursor::status() const {
  return FromRocks(iterator_->status(), "walk");
}

RocksSnapshot::RocksSnapshot(RocksEngine* engine) : engine_(engine), snapshot_(engine->db().GetSnapshot()) {}

RocksSnapshot::~RocksSnapshot() {
  engine_->db().ReleaseSnapshot(snapshot_);
}

Result<std::optional<std::string>> RocksSnapshot::Get(Table table, std::string_view key) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  std::string value;
  const rocksdb::Status read = engine_->db().Get(options, engine_->family(table), ToSlice(key), &value);
  if (read.IsNotFound()) return std::optional<std::string>();
  if (!read.ok()) return FromRocks(read, "read");
  return std::optional<std::string>(std::move(value));
}

std::unique_ptr<Cursor> RocksSnapshot::Scan(Table table, std::string_view prefix,
                                            std::string_view from) const {
  return std::make_unique<RocksCursor>(engine_, table, prefix, std::max(prefix, from), snapshot_);
}

}  // namespace orrery::storage

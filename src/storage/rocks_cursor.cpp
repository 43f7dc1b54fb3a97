#include "storage/rocks_cursor.h"

#include <algorithm>
#include <utility>

#include "storage/pending_batch.h"
#include "storage/rocks_options.h"
#include "storage/rocks_status.h"

namespace orrery::storage {

RocksCursor::RocksCursor(std::shared_ptr<RocksInstance> instance, Table table, std::string_view prefix,
                         std::string_view start, const rocksdb::Snapshot* snapshot, uint64_t skips_max)
    : instance_(std::move(instance)), prefix_(prefix), end_(PrefixEnd(prefix)), end_slice_(end_) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  options.max_skippable_internal_keys = skips_max;
  if (!end_.empty()) options.iterate_upper_bound = &end_slice_;
  const bool is_wide = prefix_.size() < kFilterPrefixBytes;
  options.total_order_seek = is_wide || !HasPrefixFilter(table);
  // A walk over a slot or a table must not push the hot blocks out.
  options.fill_cache = !is_wide || !HasPrefixFilter(table);
  iterator_.reset(instance_->db().NewIterator(options, instance_->family(table)));
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
  const rocksdb::Status status = iterator_->status();
  if (!status.ok()) instance_->NoteRead(status);
  return FromRocks(status, "walk");
}

RocksSnapshot::RocksSnapshot(std::shared_ptr<RocksInstance> instance)
    : instance_(std::move(instance)), snapshot_(instance_->db().GetSnapshot()) {}

RocksSnapshot::~RocksSnapshot() {
  instance_->db().ReleaseSnapshot(snapshot_);
}

Result<std::optional<std::string>> RocksSnapshot::Get(Table table, std::string_view key) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot_;
  std::string value;
  const rocksdb::Status read = instance_->db().Get(options, instance_->family(table), ToSlice(key), &value);
  if (read.IsNotFound()) return std::optional<std::string>();
  if (!read.ok()) {
    instance_->NoteRead(read);
    return FromRocks(read, "read");
  }
  return std::optional<std::string>(std::move(value));
}

std::unique_ptr<Cursor> RocksSnapshot::Scan(Table table, std::string_view prefix,
                                            std::string_view from) const {
  return std::make_unique<RocksCursor>(instance_, table, prefix, std::max(prefix, from), snapshot_);
}

}  // namespace orrery::storage

#pragma once

#include <rocksdb/db.h>
#include <rocksdb/iterator.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "orrery/storage/row_store.h"
#include "storage/known_gaps.h"
#include "storage/rocks_instance.h"

namespace orrery::storage {

/// Walks committed rows. snapshot: null for what is committed at its creation. gaps: what is known and
/// becomes known of what is committed then, which it passes over; null: it walks over deleted entries. Must
/// outlive the cursor.
class RocksCursor final : public Cursor {
 public:
  /// start >= prefix. skips_max: the walk ends with an error where it would pass more entries in a row that
  /// were deleted and are not compacted away; 0: it passes them all.
  RocksCursor(std::shared_ptr<RocksInstance> instance, Table table, std::string_view prefix,
              std::string_view start, const rocksdb::Snapshot* snapshot, KnownGaps* gaps,
              uint64_t skips_max = 0);

  bool Valid() const override;
  void Next() override;
  std::string_view key() const override;
  std::string_view value() const override;
  Status status() const override;

 private:
  void Open(uint64_t skips_max);
  void Seek(std::string_view from);
  void SeekCounting(std::string_view from);
  bool HasMetGap() const;
  void NoteGap(std::string_view from);

  const std::shared_ptr<RocksInstance> instance_;
  const Table table_;
  KnownGaps* const gaps_;
  const std::string prefix_;
  const std::string end_;
  const rocksdb::Slice end_slice_;  // RocksDB keeps its address
  const rocksdb::Snapshot* const snapshot_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
  /// Each step counts what it passes. Before the first gap RocksDB says when it is one, which costs nothing.
  bool counts_ = false;
  bool at_end_ = false;   // the rest is a gap
  std::string position_;  // behind the last key, while gaps are looked for
};

class RocksSnapshot final : public Snapshot {
 public:
  explicit RocksSnapshot(std::shared_ptr<RocksInstance> instance);
  ~RocksSnapshot() override;

  Result<std::optional<std::string>> Get(Table table, std::string_view key) const override;
  std::unique_ptr<Cursor> Scan(Table table, std::string_view prefix, std::string_view from) const override;

 private:
  static const rocksdb::Snapshot* Take(RocksInstance* instance);

  const std::shared_ptr<RocksInstance> instance_;
  const rocksdb::Snapshot* const snapshot_;
};

}  // namespace orrery::storage

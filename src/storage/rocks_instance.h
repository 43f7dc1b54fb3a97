#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/statistics.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "orrery/storage/rocksdb_row_store.h"
#include "storage/log_files.h"
#include "storage/rocks_status.h"
#include "storage/slot_memtable.h"

namespace orrery::storage {

/// The column families of a database, with the default one that is not used last.
std::vector<rocksdb::ColumnFamilyDescriptor> MakeFamilies(
    const RocksOptions& options, const std::shared_ptr<rocksdb::Cache>& block_cache,
    const std::shared_ptr<LatestBuckets>& row_buckets = nullptr,
    const std::shared_ptr<const SnapshotCount>& snapshots = nullptr);

/// One opening of the database's files, from DB::Open to DB::Close. Shared by all who read or write through
/// it; the last to let go closes it. Any thread.
///
/// It fails for good with the first write or sync that fails: RocksDB 7.8 cannot be relied on to leave such a
/// state with DB::Resume (the log's writer remembers its error, and Resume changes to a new log only if a
/// memtable happens to hold something), and a write to the remembered log aborts the process in builds with
/// assertions, as Debian's is.
class RocksInstance {
 public:
  static Result<std::shared_ptr<RocksInstance>> Open(const RocksOptions& options,
                                                     const std::shared_ptr<rocksdb::Cache>& block_cache,
                                                     const std::shared_ptr<rocksdb::Statistics>& statistics);
  /// Syncs what was committed and closes.
  ~RocksInstance();
  RocksInstance(const RocksInstance&) = delete;
  RocksInstance& operator=(const RocksInstance&) = delete;

  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* family(Table table) const { return families_[static_cast<size_t>(table)]; }

  /// Of the memtable that takes rows, for those who are about to write some.
  std::shared_ptr<const MemTableBuckets> row_buckets() const { return row_buckets_->Get(); }

  /// For whoever takes one.
  SnapshotCount& snapshots() { return *snapshots_; }

  /// All of the batch or nothing of it.
  Status Write(bool sync, rocksdb::WriteBatch* batch);
  /// Makes every commit so far durable; waits for the disk.
  Status SyncWal();
  uint64_t sync_count() const { return logs_->sync_count(); }
  Status Flush();

  /// What a read has brought: the first corruption is passed on to whoever wants to know. Any thread.
  void NoteRead(const rocksdb::Status& status) {
    if (IsDamagedRead(status) && !corruption_told_.exchange(true) && on_corruption_) on_corruption_();
  }
  /// Before anybody reads.
  void OnCorruption(std::function<void()> task) { on_corruption_ = std::move(task); }

  bool has_failed() const { return has_failed_.load(std::memory_order_acquire); }
  /// What Write and SyncWal return from the first error on; ok before.
  Status failure() const;

 private:
  RocksInstance() = default;
  Status FailWith(Status cause);

  // Constant after Open.
  const std::shared_ptr<LatestBuckets> row_buckets_ = std::make_shared<LatestBuckets>();
  const std::shared_ptr<SnapshotCount> snapshots_ = std::make_shared<SnapshotCount>();
  std::unique_ptr<LogFiles> logs_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kTableCount> families_{};
  std::vector<rocksdb::ColumnFamilyHandle*> all_families_;  // RocksDB's unused default family too

  std::function<void()> on_corruption_;
  std::atomic<bool> corruption_told_ = false;
  std::atomic<bool> has_failed_ = false;
  mutable std::mutex failure_mutex_;  // guards failure_
  Status failure_;
};

}  // namespace orrery::storage

#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "orrery/storage/rocksdb_row_store.h"
#include "storage/buffered_row_store.h"
#include "storage/known_gaps.h"
#include "storage/rocks_engine.h"
#include "storage/row_cache.h"

namespace orrery::storage {

/// One shard's view of a RocksDatabase: its pending batch, its row cache, and the way back to its loop.
class RocksRowStore final : public BufferedRowStore {
 public:
  RocksRowStore(RocksEngine* engine, ShardOptions options);
  ~RocksRowStore() override;

  uint64_t PrefetchKey(std::string_view key) const override;
  void PrefetchAgain(uint64_t hint) const override { cache_.PrefetchIndex(hint); }
  void PrefetchRow(uint64_t hint) const override { cache_.PrefetchEntry(hint); }
  void SyncSoon(std::function<void(Status)> done) override;
  void ForgetCachedRows() override;

 protected:
  Result<std::optional<std::string_view>> ReadCommitted(Table table, std::string_view key,
                                                        uint64_t hash) const override;
  std::unique_ptr<Cursor> ScanCommitted(Table table, std::string_view prefix,
                                        std::string_view start) const override;
  std::unique_ptr<Snapshot> SnapshotCommitted() const override;
  Status Write(const PendingBatch& batch, Durability durability) override;
  Status OpenAnew() override;

 private:
  static bool IsCached(Table table) { return table == Table::kRows || table == Table::kCounts; }
  void NoteCacheSize() const;

  void ClearGathered(size_t value_bytes);
  Status GatherDeletedPrefixes(const PendingBatch& batch);
  Status GatherDeletedPrefix(Table table, std::string_view prefix);
  void GatherChanges(const PendingBatch& batch);
  void PrefetchRows(const PendingBatch& batch) const;
  Status WriteGathered(Durability durability);
  void CacheWritten(const PendingBatch& batch);
  void UpdateGaps(const PendingBatch& batch);
  Status FinishSync(uint64_t opening, uint64_t commits, const Status& outcome);

  RocksEngine* const engine_;
  const std::function<void(std::function<void()>)> post_;
  const std::shared_ptr<ShardCounters> counters_;
  std::shared_ptr<RocksInstance> instance_;  // null from a Reopen that failed to one that succeeds
  uint64_t opening_ = 1;                     // of the instance, counted here
  mutable RowCache cache_;
  mutable KnownGaps gaps_;
  mutable rocksdb::PinnableSlice last_read_;
  rocksdb::WriteBatch gathered_;
  bool gathered_large_ = false;  ///< it has the memory of a batch of large values
  uint64_t commits_ = 0;
  uint64_t synced_commits_ = 0;
  /// What syncs under way hold to find out whether the store is still there.
  std::shared_ptr<RocksRowStore*> self_;
};

}  // namespace orrery::storage

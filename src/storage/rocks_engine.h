#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/statistics.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "orrery/storage/rocksdb_row_store.h"
#include "storage/rocks_instance.h"
#include "storage/rocks_rescue.h"
#include "storage/rocks_scrubber.h"
#include "storage/wal_syncer.h"

namespace orrery::storage {

/// What a shard counts for Properties(): written by its thread, read by any.
struct alignas(64) ShardCounters {
  std::atomic<uint64_t> cache_hits = 0;
  std::atomic<uint64_t> cache_misses = 0;
  std::atomic<uint64_t> cache_rows = 0;
  std::atomic<uint64_t> cache_bytes = 0;
  std::atomic<uint64_t> commits = 0;
  std::atomic<uint64_t> failed_commits = 0;

  /// Cheaper than an atomic addition. REQUIRES: the counter has one writer.
  static void Add(std::atomic<uint64_t>* counter, uint64_t n = 1) {
    counter->store(counter->load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  static void Set(std::atomic<uint64_t>* counter, uint64_t value) {
    counter->store(value, std::memory_order_relaxed);
  }
};

/// What a RocksDatabase and its stores share: the instance in use, the sync thread, and what outlives an
/// instance. Any thread.
class RocksEngine {
 public:
  static Result<std::unique_ptr<RocksEngine>> Open(const RocksOptions& options);

  /// The instance in use; null while a failed one is being replaced.
  std::shared_ptr<RocksInstance> instance() const;
  /// Puts a new instance in the place of a failed one and returns it, or the one that somebody else has
  /// opened already. The caller has let go of the failed one. kUnavailable: others have not.
  Result<std::shared_ptr<RocksInstance>> Reopen();

  /// Has the syncer sync the instance in use.
  void SyncSoon(std::function<void(Status)> done) { syncer_->Request(std::move(done)); }

  const RocksRescue& rescue() const { return rescue_; }
  RocksScrubber& scrubber() { return *scrubber_; }

  std::shared_ptr<ShardCounters> AddShard();
  std::map<std::string, uint64_t> Properties() const;

 private:
  explicit RocksEngine(const RocksOptions& options);
  Result<std::shared_ptr<RocksInstance>> OpenInstance() const;
  Result<std::shared_ptr<RocksInstance>> OpenWithRescue();
  std::vector<TableFile> ListFiles() const;
  bool IsLive(const TableFile& file) const;
  void OnDamagedFile(const TableFile& file, const Status& status);
  Status SyncInstance();
  void AddShardNumbers(std::map<std::string, uint64_t>* out) const;

  RocksOptions options_;  // constant after the constructor
  RocksRescue rescue_;
  const std::shared_ptr<rocksdb::Cache> block_cache_;
  const std::shared_ptr<rocksdb::Statistics> statistics_;

  std::mutex sync_mutex_;     // held while the syncer uses an instance; before mutex_
  mutable std::mutex mutex_;  // guards the three below
  std::shared_ptr<RocksInstance> instance_;
  std::weak_ptr<RocksInstance> failed_instance_;
  std::vector<std::shared_ptr<ShardCounters>> shards_;

  std::unique_ptr<WalSyncer> syncer_;  // last: their threads use the above
  std::unique_ptr<RocksScrubber> scrubber_;
};

}  // namespace orrery::storage

#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/statistics.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "orrery/storage/rocksdb_row_store.h"
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

/// The open RocksDB behind a RocksDatabase and its stores. Any thread.
class RocksEngine {
 public:
  static Result<std::unique_ptr<RocksEngine>> Open(const RocksOptions& options);
  ~RocksEngine();
  RocksEngine(const RocksEngine&) = delete;
  RocksEngine& operator=(const RocksEngine&) = delete;

  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* family(Table table) const { return families_[static_cast<size_t>(table)]; }
  WalSyncer& syncer() { return *syncer_; }

  /// Makes every commit so far durable; waits for the disk.
  Status SyncWal();
  Status Flush();
  /// Brings the database back to accepting writes after an error, or says why it cannot.
  Status Resume();

  std::shared_ptr<ShardCounters> AddShard();
  std::map<std::string, uint64_t> Properties();

 private:
  RocksEngine() = default;
  uint64_t SumOverFamilies(const std::string& property);
  void AddStallNumbers(std::map<std::string, uint64_t>* out);
  void AddShardNumbers(std::map<std::string, uint64_t>* out);

  // Constant after Open.
  std::shared_ptr<rocksdb::Cache> block_cache_;
  std::shared_ptr<rocksdb::Statistics> statistics_;
  std::unique_ptr<rocksdb::DB> db_;
  std::array<rocksdb::ColumnFamilyHandle*, kTableCount> families_{};
  std::vector<rocksdb::ColumnFamilyHandle*> all_families_;  // RocksDB's unused default family too
  std::unique_ptr<WalSyncer> syncer_;

  std::mutex resume_mutex_;  // two shards may find the same error
  std::mutex shards_mutex_;  // guards shards_
  std::vector<std::shared_ptr<ShardCounters>> shards_;
};

}  // namespace orrery::storage

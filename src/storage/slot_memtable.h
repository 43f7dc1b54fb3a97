#pragma once

#include <rocksdb/memtablerep.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

namespace orrery::storage {

/// A memtable's buckets, which may outlive it.
struct MemTableBuckets;

/// The buckets of the memtable that RocksDB made last for a table, as a rule the one that it writes to. Any
/// thread.
class LatestBuckets {
 public:
  void Set(std::shared_ptr<const MemTableBuckets> buckets) {
    const std::lock_guard lock(mutex_);
    buckets_ = std::move(buckets);
  }
  std::shared_ptr<const MemTableBuckets> Get() const {
    const std::lock_guard lock(mutex_);
    return buckets_;
  }

 private:
  mutable std::mutex mutex_;  // guards buckets_
  std::shared_ptr<const MemTableBuckets> buckets_;
};

/// How many snapshots of a database there are: as long as there is any, memtables keep all versions of a key.
/// Any thread.
class SnapshotCount {
 public:
  /// Before the snapshot is taken.
  void Add() { count_.fetch_add(1, std::memory_order_acq_rel); }
  /// After it was let go.
  void Remove() { count_.fetch_sub(1, std::memory_order_acq_rel); }
  bool none() const { return count_.load(std::memory_order_acquire) == 0; }

 private:
  std::atomic<size_t> count_{0};
};

/// For whoever is about to write a batch: asks for the memory that the write of a key will look at, first for
/// its bucket and, when that has come, for the first entry in it. Only hints.
void PrefetchBucket(const MemTableBuckets& buckets, std::string_view key);
void PrefetchFirstEntry(const MemTableBuckets& buckets, std::string_view key);

/// Memtables for tables whose keys start with a slot: ordered buckets instead of one skip list.
///
/// A row's key starts with slot, database and hash of the key (row_key.h), which are spread evenly. So the
/// first bytes of a key, read as a number, give a bucket of a few entries, and since buckets are in the order
/// of the bytes, a walk over all of them in turn is in order too: as fast to insert into as a hash table, as
/// good to walk as a list. (RocksDB's own skip list costs some twenty comparisons and cache misses for each
/// row written, which is most of what a commit costs.) A bucket is itself a skip list, for the rows of a
/// large collection fall into one.
///
/// One writer at a time (allow_concurrent_memtable_write = false), readers at any time.
/// latest, if given, is told of each memtable's buckets.
///
/// With `snapshots`, a version of a key is dropped and its memory used again when a newer one comes, unless
/// there is a snapshot or a walk over this memtable. So what is written again and again neither fills
/// memtables nor is written to table files again and again. This asks for what holds where each slot has one
/// thread (RowStore): who reads a key, or walks, wants to see keys only of slots that no other thread writes
/// to meanwhile; of those of others it may see none. Keys that begin with no slot, as those of journals, are
/// walked over but not read one by one. And nothing is merged (no merge operator) or SingleDeleted. RocksDB
/// then finds fewer entries in a memtable than it has written: flush_verify_memtable_count = false.
std::shared_ptr<rocksdb::MemTableRepFactory> NewSlotMemTableFactory(
    size_t write_buffer_bytes, std::shared_ptr<LatestBuckets> latest = nullptr,
    std::shared_ptr<const SnapshotCount> snapshots = nullptr);

}  // namespace orrery::storage

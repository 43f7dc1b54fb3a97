#include "storage/rocks_row_store.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "storage/failed_reads.h"
#include "storage/rocks_cursor.h"
#include "storage/rocks_status.h"

namespace orrery::storage {
namespace {

// Up to so many keys a deleted prefix becomes one deletion each; beyond, a range deletion, which costs every
// later read near it until it is compacted away.
constexpr size_t kSingleDeletionsMax = 256;
// Nor are so many deleted entries passed to find those few: where a list was a queue, millions of them may
// lie.
constexpr uint64_t kDeletedPassedMax = 2000;
constexpr size_t kLargeBatchBytes = size_t{1} << 20;

}  // namespace

RocksRowStore::RocksRowStore(RocksEngine* engine, ShardOptions options)
    : engine_(engine),
      post_(std::move(options.post)),
      counters_(engine->AddShard()),
      instance_(engine->instance()),
      cache_(options.row_cache_bytes),
      self_(std::make_shared<RocksRowStore*>(this)) {}

RocksRowStore::~RocksRowStore() {
  ForgetCachedRows();
}

uint64_t RocksRowStore::PrefetchKey(std::string_view key) const {
  const uint64_t hash = HashRow(Table::kRows, key);
  cache_.PrefetchIndex(hash);
  return hash;
}

Result<std::optional<std::string_view>> RocksRowStore::ReadCommitted(Table table, std::string_view key,
                                                                     uint64_t hash) const {
  if (IsCached(table)) {
    const RowCache::Lookup cached = cache_.Find(table, key, hash);
    ShardCounters::Add(cached.hit ? &counters_->cache_hits : &counters_->cache_misses);
    if (cached.hit) return cached.value;
  }
  if (instance_ == nullptr) return failure();
  last_read_.Reset();
  const rocksdb::Status read =
      instance_->db().Get(rocksdb::ReadOptions(), instance_->family(table), ToSlice(key), &last_read_);
  if (!read.ok() && !read.IsNotFound()) {
    instance_->NoteRead(read);
    return FromRead(read, "read");
  }
  std::optional<std::string_view> value;
  if (read.ok()) value = ToView(last_read_);
  if (IsCached(table)) {
    cache_.Put(table, key, hash, value);
    NoteCacheSize();
  }
  return value;
}

std::unique_ptr<Cursor> RocksRowStore::ScanCommitted(Table table, std::string_view prefix,
                                                     std::string_view start) const {
  if (instance_ == nullptr) return std::make_unique<FailedCursor>(failure());
  return std::make_unique<RocksCursor>(instance_, table, prefix, start, nullptr, &gaps_);
}

std::unique_ptr<Snapshot> RocksRowStore::SnapshotCommitted() const {
  if (instance_ == nullptr) return std::make_unique<FailedSnapshot>(failure());
  return std::make_unique<RocksSnapshot>(instance_);
}

Status RocksRowStore::Write(const PendingBatch& batch, Durability durability) {
  if (instance_->has_failed()) return instance_->failure();
  if (batch.empty() && durability == Durability::kMemory) return Status::Ok();
  ClearGathered(batch.value_bytes());
  Status outcome = GatherDeletedPrefixes(batch);
  if (outcome.ok()) {
    GatherChanges(batch);
    PrefetchRows(batch);
    outcome = WriteGathered(durability);
  }
  if (!outcome.ok()) {
    ShardCounters::Add(&counters_->failed_commits);
    ForgetCachedRows();  // nobody knows how far the batch got
    return outcome;
  }
  ShardCounters::Add(&counters_->commits);
  CacheWritten(batch);
  UpdateGaps(batch);
  if (gathered_large_) ClearGathered(0);
  return Status::Ok();
}

// A batch of large values gets its memory at once, and does not keep it.
void RocksRowStore::ClearGathered(size_t value_bytes) {
  const bool was_large = gathered_large_;
  gathered_large_ = value_bytes >= kLargeBatchBytes;
  if (!gathered_large_ && !was_large) return gathered_.Clear();
  gathered_ = rocksdb::WriteBatch(gathered_large_ ? value_bytes + kLargeBatchBytes / 16 : 0);
}

// Deleted prefixes also leave the cache here, before the outcome is known: a key that is not cached is never
// wrong.
Status RocksRowStore::GatherDeletedPrefixes(const PendingBatch& batch) {
  for (size_t i = 0; i < kTableCount; ++i) {
    const auto table = static_cast<Table>(i);
    for (const std::string& prefix : batch.deleted_prefixes(table)) {
      Status gathered = GatherDeletedPrefix(table, prefix);
      if (!gathered.ok()) return gathered;
    }
  }
  return Status::Ok();
}

Status RocksRowStore::GatherDeletedPrefix(Table table, std::string_view prefix) {
  rocksdb::ColumnFamilyHandle* const family = instance_->family(table);
  const std::string end = PrefixEnd(prefix);
  std::vector<std::string> keys;
  RocksCursor cursor(instance_, table, prefix, prefix, nullptr, &gaps_, end.empty() ? 0 : kDeletedPassedMax);
  // A prefix without an end cannot be deleted as a range.
  for (; cursor.Valid() && (end.empty() || keys.size() <= kSingleDeletionsMax); cursor.Next()) {
    keys.emplace_back(cursor.key());
  }
  const bool complete = cursor.status().ok() && !cursor.Valid();
  if (!complete && end.empty()) return cursor.status();
  // A slot whose rows cannot be read must still be dropped: a range needs no reading.
  if (!complete) {
    if (IsCached(table)) cache_.ErasePrefix(prefix);
    return FromRocks(gathered_.DeleteRange(family, ToSlice(prefix), ToSlice(end)), "delete a range");
  }
  for (const std::string& key : keys) {
    if (IsCached(table)) cache_.Erase(table, key, HashRow(table, key));
    Status added = FromRocks(gathered_.Delete(family, ToSlice(key)), "delete");
    if (!added.ok()) return added;
  }
  return Status::Ok();
}

void RocksRowStore::GatherChanges(const PendingBatch& batch) {
  const auto row_buckets = instance_->row_buckets();
  batch.ForEachChange([&](const PendingBatch::Change& change) {
    if (change.table == Table::kRows) PrefetchBucket(*row_buckets, change.key);
    rocksdb::ColumnFamilyHandle* const family = instance_->family(change.table);
    // Adding to a batch without a size limit cannot fail.
    if (change.deleted) {
      gathered_.Delete(family, ToSlice(change.key)).PermitUncheckedError();
    } else {
      gathered_.Put(family, ToSlice(change.key), ToSlice(change.value)).PermitUncheckedError();
    }
  });
}

// The rows of a turn fall into as many places of the memtable, all of them cold.
void RocksRowStore::PrefetchRows(const PendingBatch& batch) const {
  const auto row_buckets = instance_->row_buckets();
  batch.ForEachChange([&](const PendingBatch::Change& change) {
    if (change.table == Table::kRows) PrefetchFirstEntry(*row_buckets, change.key);
  });
}

Status RocksRowStore::WriteGathered(Durability durability) {
  const bool sync = durability == Durability::kDisk;
  if (gathered_.Count() == 0) {
    if (!sync || commits_ == synced_commits_) return Status::Ok();
    Status synced = instance_->SyncWal();
    if (synced.ok()) synced_commits_ = commits_;
    return synced;
  }
  Status written = instance_->Write(sync, &gathered_);
  if (!written.ok()) return written;
  ++commits_;
  if (sync) synced_commits_ = commits_;  // the log is synced up to its end, earlier commits included
  return Status::Ok();
}

void RocksRowStore::CacheWritten(const PendingBatch& batch) {
  batch.ForEachChange([&](const PendingBatch::Change& change) {
    if (!IsCached(change.table)) return;
    std::optional<std::string_view> value;
    if (!change.deleted) value = change.value;
    cache_.Put(change.table, change.key, change.hash, value);
  });
  NoteCacheSize();
}

// A deleted prefix is a gap, whether its keys were deleted one by one or as a range.
void RocksRowStore::UpdateGaps(const PendingBatch& batch) {
  for (const Table table : {Table::kRows, Table::kExpiry, Table::kIndex}) {
    for (const std::string& prefix : batch.deleted_prefixes(table))
      gaps_.Note(table, prefix, PrefixEnd(prefix));
  }
  if (gaps_.empty()) return;
  batch.ForEachChange([&](const PendingBatch::Change& change) {
    if (!KnownGaps::Covers(change.table)) return;
    change.deleted ? gaps_.OnDelete(change.table, change.key) : gaps_.OnPut(change.table, change.key);
  });
}

void RocksRowStore::ForgetCachedRows() {
  cache_.Clear();
  gaps_.Clear();
  NoteCacheSize();
}

void RocksRowStore::NoteCacheSize() const {
  ShardCounters::Set(&counters_->cache_rows, cache_.size());
  ShardCounters::Set(&counters_->cache_bytes, cache_.bytes());
}

Status RocksRowStore::OpenAnew() {
  ForgetCachedRows();
  last_read_.Reset();
  instance_.reset();
  auto opened = engine_->Reopen();
  if (!opened.ok()) return opened.status();
  instance_ = std::move(*opened);
  ++opening_;
  synced_commits_ = commits_;  // whatever survived was read from the disk
  return Status::Ok();
}

void RocksRowStore::SyncSoon(std::function<void(Status)> done) {
  if (!failure().ok() || commits_ == synced_commits_) return done(failure());
  const uint64_t opening = opening_, commits = commits_;
  if (post_ == nullptr) return done(FinishSync(opening, commits, instance_->SyncWal()));
  engine_->SyncSoon([post = post_, self = std::weak_ptr(self_), opening, commits,
                     done = std::move(done)](const Status& outcome) {
    post([self, opening, commits, done, outcome] {
      if (const auto store = self.lock()) done((*store)->FinishSync(opening, commits, outcome));
    });
  });
}

Status RocksRowStore::FinishSync(uint64_t opening, uint64_t commits, const Status& outcome) {
  // What was synced then were the files of another opening, which may not have had these commits.
  if (opening != opening_) return Status::Unavailable("the store was opened anew meanwhile");
  if (outcome.ok() && failure().ok()) {
    synced_commits_ = std::max(synced_commits_, commits);
    return Status::Ok();
  }
  if (failure().ok()) Fail(outcome);
  return failure();
}

}  // namespace orrery::storage

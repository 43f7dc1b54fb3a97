#include "storage/rocks_options.h"

#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <algorithm>
#include <vector>

#include "orrery/base/check.h"
#include "storage/rocks_logger.h"

namespace orrery::storage {
namespace {

constexpr size_t kMegabyte = size_t{1} << 20;

bool IsQueueLike(Table table) {
  return table == Table::kHints || table == Table::kExpiry || table == Table::kIndex;
}

bool StartsWithSlot(Table table) {
  return table != Table::kHints && table != Table::kNode;
}

// The first of the wanted ones that this build of RocksDB has.
rocksdb::CompressionType Compression(std::initializer_list<rocksdb::CompressionType> wanted) {
  const std::vector<rocksdb::CompressionType> supported = rocksdb::GetSupportedCompressions();
  for (const rocksdb::CompressionType type : wanted) {
    if (std::find(supported.begin(), supported.end(), type) != supported.end()) return type;
  }
  return rocksdb::kNoCompression;
}

rocksdb::BlockBasedTableOptions MakeBlockOptions(const std::shared_ptr<rocksdb::Cache>& block_cache) {
  rocksdb::BlockBasedTableOptions block;
  block.block_cache = block_cache;
  block.format_version = 5;
  block.checksum = rocksdb::kXXH3;
  // Small rows: small blocks, with a hash inside each so that a point read does not search it.
  block.block_size = 4096;
  block.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  block.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  block.whole_key_filtering = true;
  block.optimize_filters_for_memory = true;
  // Indexes and filters live in the block cache, in parts: memory stays bounded however many rows there are.
  block.cache_index_and_filter_blocks = true;
  block.cache_index_and_filter_blocks_with_high_priority = true;
  block.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  block.partition_filters = true;
  block.metadata_cache_options.top_level_index_pinning = rocksdb::PinningTier::kAll;
  block.metadata_cache_options.partition_pinning = rocksdb::PinningTier::kFlushedAndSimilar;
  return block;
}

}  // namespace

bool HasPrefixFilter(Table table) {
  return table == Table::kRows || table == Table::kCounts || table == Table::kIndex;
}

std::string_view FamilyName(Table table) {
  switch (table) {
    case Table::kRows:
      return "rows";
    case Table::kSlots:
      return "slots";
    case Table::kHints:
      return "hints";
    case Table::kNode:
      return "node";
    case Table::kCounts:
      return "counts";
    case Table::kExpiry:
      return "expiry";
    case Table::kIndex:
      return "index";
  }
  ORRERY_CHECK(false);
  return {};
}

rocksdb::DBOptions MakeDbOptions(const RocksOptions& options,
                                 std::shared_ptr<rocksdb::Statistics> statistics) {
  rocksdb::DBOptions db;
  db.create_if_missing = true;
  db.create_missing_column_families = true;
  db.statistics = std::move(statistics);

  // After a power cut the log may have holes behind its last sync, where pages reached the disk out of order.
  // Replay stops at the first: everything synced lies before it. (Refusing to open would punish appendfsync
  // everysec; skipping the hole would apply an event without its predecessors.)
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // What is overwritten stays in memtables until its log is to be cut, and a start reads the log again.
  db.max_total_wal_size = 2 * options.write_buffer_bytes;
  db.wal_bytes_per_sync = kMegabyte;  // the sync once a second finds little left to write
  db.bytes_per_sync = kMegabyte;
  db.db_write_buffer_size = options.write_buffer_bytes;

  // Measured with tests/bench/storage_bench: one batch per loop turn gains nothing from a second write queue.
  db.enable_pipelined_write = false;
  db.allow_concurrent_memtable_write = false;  // slot_memtable.h
  db.flush_verify_memtable_count = false;      // the same
  db.avoid_unnecessary_blocking_io = true;     // a loop that drops a cursor does not delete files
  db.max_background_jobs = options.background_jobs;
  db.max_open_files = options.max_open_files;

  db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db.info_log = MakeRocksLogger(options.log);
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  return db;
}

rocksdb::ColumnFamilyOptions MakeFamilyOptions(const RocksOptions& options, Table table,
                                               const std::shared_ptr<rocksdb::Cache>& block_cache,
                                               const std::shared_ptr<LatestBuckets>& latest,
                                               const std::shared_ptr<const SnapshotCount>& snapshots) {
  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(MakeBlockOptions(block_cache)));
  family.compression = Compression({rocksdb::kLZ4Compression, rocksdb::kSnappyCompression});
  family.bottommost_compression = Compression({rocksdb::kZSTD, rocksdb::kLZ4Compression});
  family.level_compaction_dynamic_level_bytes = true;
  family.target_file_size_base = 32 * kMegabyte;

  // The more versions of a row meet in a memtable, the fewer are written to table files.
  const size_t share =
      table == Table::kRows ? options.write_buffer_bytes / 2 : options.write_buffer_bytes / 8;
  family.write_buffer_size = std::max(share, kMegabyte);
  family.max_write_buffer_number = 4;
  // A stalled write stalls a loop, heartbeats and all: let reads get slower first.
  family.level0_slowdown_writes_trigger = 24;
  family.level0_stop_writes_trigger = 48;

  if (HasPrefixFilter(table)) {
    family.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(kFilterPrefixBytes));
  }
  if (StartsWithSlot(table)) {
    // Its buckets are as quick to say that a key is not there as a filter would be, which every write had to
    // fill.
    family.memtable_factory = NewSlotMemTableFactory(family.write_buffer_size, latest, snapshots);
  } else {
    family.memtable_whole_key_filtering = true;
    family.memtable_prefix_bloom_size_ratio = 0.05;
  }
  // Where entries are deleted in the order in which they were written, the next walk must not step over all
  // of them.
  if (IsQueueLike(table)) {
    family.table_properties_collector_factories.push_back(
        rocksdb::NewCompactOnDeletionCollectorFactory(/*sliding_window_size=*/8192, /*deletion_trigger=*/4096,
                                                      /*deletion_ratio=*/0.5));
  }
  return family;
}

}  // namespace orrery::storage

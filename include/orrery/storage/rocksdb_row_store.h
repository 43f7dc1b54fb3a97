#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/base/status.h"
#include "orrery/storage/lost_range.h"
#include "orrery/storage/row_store.h"

namespace rocksdb {
class Env;
}

namespace orrery::storage {

class RocksEngine;

struct RocksOptions {
  std::string path;  ///< created, parents included, if missing
  /// Shared by all shards: data blocks, indexes and filters.
  size_t block_cache_bytes = size_t{256} << 20;
  /// All memtables together; the write-ahead log stays within a few times that.
  size_t write_buffer_bytes = size_t{128} << 20;
  /// Threads for flushes and compactions.
  int background_jobs = 2;
  int max_open_files = 1024;
  /// Gets RocksDB's warnings and errors, one text each; called on any thread. Empty: they are dropped.
  std::function<void(std::string_view)> log;
  /// A table file turned out to be damaged or missing, by its path and why; called on any thread. The
  /// database goes on, but a compaction that reads the file would fail it. Suspect and a new Open take the
  /// file out.
  std::function<void(const std::string& file, const std::string& why)> on_damage;
  /// Files go through it; not owned. Null: the operating system. For tests that make disks fail.
  rocksdb::Env* env = nullptr;
};

/// How table files are read again in the background and compared with their checksums.
struct ScrubOptions {
  uint64_t interval_s = 0;  ///< from the end of one pass to the next; 0: off
  uint64_t bytes_per_s = uint64_t{16} << 20;
  bool operator==(const ScrubOptions&) const = default;
};

struct ShardOptions {
  /// Recently used values of kRows and kCounts, kept decoded from blocks, for this shard alone. 0: none.
  size_t row_cache_bytes = size_t{64} << 20;
  /// Runs a task on the shard's loop; called on the database's sync thread. Empty: SyncSoon syncs before it
  /// returns.
  std::function<void(std::function<void()>)> post;
};

/// A node's rows on disk: one RocksDB with a column family per Table, shared by the stores of all shards.
/// Memory is bounded by the options, not by the data.
///
/// Durability: a kMemory commit is in the operating system's page cache when Commit returns, a kDisk commit
/// on the disk. After a power cut the database opens with every synced commit, perhaps some later ones, and
/// no commit without all commits before it; each whole over all tables.
///
/// Threads: all methods from any thread, at the same time. A store belongs to its shard's thread. The
/// database must outlive its stores.
class RocksDatabase {
 public:
  /// Table files that are damaged or missing, so that the database would not open, or that Suspect told of,
  /// are taken out of it: lost_ranges() tells what went with them, and whoever reads must not take it for
  /// absence. kCorruption: more is damaged than that, and what to do. kIoError: they cannot be read, written
  /// or locked (a second process). kInvalid: they are of a newer version.
  static Result<std::unique_ptr<RocksDatabase>> Open(const RocksOptions& options);
  /// Deletes everything in the database's folder, which may be missing or half empty; Open then makes a new
  /// database. Durable when this returns. kIoError: a file cannot be deleted, or the database is open, here
  /// or in another process.
  static Status Clear(const std::string& path);
  /// Syncs what was committed, stops the background threads, closes the files.
  ~RocksDatabase();
  RocksDatabase(const RocksDatabase&) = delete;
  RocksDatabase& operator=(const RocksDatabase&) = delete;

  std::unique_ptr<RowStore> OpenShard(ShardOptions options = {});

  /// A copy of what is committed, of one instant, that Open can open: hard links, so it takes little time and
  /// space. kInvalid: the path exists.
  Status Checkpoint(const std::string& path);
  /// Moves what is in memtables to table files and waits for it.
  Status Flush();
  /// Reads every block of every file and compares checksums; takes as long as reading the whole database.
  Status VerifyChecksums();
  /// What was lost with table files, in this and in earlier openings, and not forgotten yet.
  const std::vector<LostRange>& lost_ranges() const { return lost_; }
  /// Once the caller has noted them durably.
  Status ForgetLostRanges();
  /// The next Open looks at the table files, first at those that `why` names. Durable when this returns.
  Status Suspect(const std::string& why);
  /// From now on; at first it is off.
  void SetScrub(const ScrubOptions& options);
  /// For good, before what on_damage needs goes away.
  void StopScrub();
  /// Numbers for INFO and metrics: name -> value; sizes in bytes.
  std::map<std::string, uint64_t> Properties() const;

 private:
  explicit RocksDatabase(std::unique_ptr<RocksEngine> engine);
  std::unique_ptr<RocksEngine> engine_;
  std::vector<LostRange> lost_;
};

}  // namespace orrery::storage

#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <cstdint>
#include <memory>
#include <string>

namespace orrery::storage {

/// The write-ahead log's files, synced from outside RocksDB while it appends to them.
///
/// DB::SyncWAL would do, but for one thing: it must not be called on a log that could not be written (7.8
/// aborts in builds with assertions, as Debian's is), and nobody can know that before, since another thread
/// may be failing to write it just then. So RocksDB gets a file system that remembers which logs are open,
/// and Sync goes to the files themselves. A log that RocksDB closes is obsolete or was synced by RocksDB;
/// syncing one twice does no harm.
///
/// Any thread. Must outlive the database that uses env().
class LogFiles {
 public:
  /// directory: of the logs, as RocksDB names it; other files that look like logs are none.
  LogFiles(std::shared_ptr<rocksdb::FileSystem> files, std::string directory);
  ~LogFiles();

  rocksdb::Env* env() const { return env_.get(); }

  /// Takes to the disk what was appended to any log before the call, the logs' names included.
  rocksdb::IOStatus Sync();
  /// Whether RocksDB has made any log by way of env().
  bool has_logs() const;
  /// How often a log was synced, by Sync or by RocksDB.
  uint64_t sync_count() const;

 private:
  class File;
  class FileSystem;
  struct OpenLog;
  struct State;

  const std::shared_ptr<State> state_;
  const std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace orrery::storage

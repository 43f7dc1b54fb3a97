#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace orrery::storage {

/// The state of a disk that fails on demand: which bytes of which file were synced, and what befalls the next
/// write. Any thread.
class FaultyDisk {
 public:
  /// From now on whatever changes a file fails with that error; ok ends it.
  void FailWith(rocksdb::IOStatus error);
  /// From now on that file, opened or not, cannot be read: the sectors are bad.
  void FailReadsOf(const std::string& path);
  /// Truncates every file written through this disk to what was synced of it. REQUIRES: no file is open.
  void ForgetUnsynced();

  rocksdb::IOStatus error() const;
  bool IsReadable(const std::string& path) const;
  void Created(const std::string& path);
  void Renamed(const std::string& from, const std::string& to);
  void Appended(const std::string& path, uint64_t bytes);
  void Synced(const std::string& path);

 private:
  struct File {
    uint64_t size = 0;
    uint64_t synced = 0;
  };
  mutable std::mutex mutex_;
  rocksdb::IOStatus error_;
  std::set<std::string> unreadable_;
  std::map<std::string, File> files_;
};

/// RocksDB's files on the real file system, by way of the disk. The disk must outlive it.
std::unique_ptr<rocksdb::Env> MakeFaultyEnv(FaultyDisk* disk);

}  // namespace orrery::storage

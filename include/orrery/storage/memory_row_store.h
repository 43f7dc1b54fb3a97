#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "orrery/base/status.h"
#include "orrery/storage/row_store.h"

namespace orrery::storage {

class MemoryRowStore;
class MemoryTables;

/// A simulated node's disk: what RocksDB is to a node in production, without threads, files or clocks, and
/// with the faults of disks on demand. It outlives the node's crashes: destroy the stores, Crash, open stores
/// anew.
///
/// Deterministic and single-threaded. A commit costs what it changes, a snapshot nothing: keys keep their
/// older versions for as long as a crash or a snapshot could ask for them.
class MemoryDatabase {
 public:
  /// When SyncSoon reports.
  enum class SyncMode : uint8_t {
    kImmediate,  ///< before it returns
    kManual,     ///< from CompleteSyncs, so that what is synced lags behind what is committed
  };
  /// A copy of the disk.
  using Image = std::array<std::map<std::string, std::string>, kTableCount>;

  explicit MemoryDatabase(SyncMode sync_mode = SyncMode::kImmediate);
  ~MemoryDatabase();
  MemoryDatabase(const MemoryDatabase&) = delete;
  MemoryDatabase& operator=(const MemoryDatabase&) = delete;

  /// A shard's store. The database must outlive it.
  std::unique_ptr<RowStore> OpenShard();

  /// Finishes every SyncSoon so far, in order. Those that the callbacks ask for wait for the next call.
  void CompleteSyncs();

  /// Commits of all shards, oldest first, that a power cut could take.
  size_t unsynced_commits() const;
  /// A power cut: of the unsynced commits the first unsynced_to_keep stay, whole, and the rest are gone, as
  /// after a write ahead log cut at some record. REQUIRES: no store is open.
  void Crash(size_t unsynced_to_keep);

  /// What is synced: the disk as an operator's copy of it would find it after a power cut.
  std::shared_ptr<const Image> CopyImage() const;
  /// The disk is now that copy, an old one perhaps. REQUIRES: no store is open.
  void RestoreImage(const Image& image);

  /// From now on every commit and sync fails with the error; Status::Ok() ends it. Reopen of a store fails as
  /// long as writes do.
  void FailWrites(Status error);
  /// Makes the committed value unreadable, until it is overwritten or deleted. REQUIRES: the key is there.
  void CorruptValue(Table table, std::string_view key);

 private:
  friend class MemoryRowStore;
  struct SyncRequest {
    uint64_t id;
    MemoryRowStore* store;
    uint64_t commit;
    std::function<void(Status)> done;
  };

  void FinishSync(const SyncRequest& request);

  std::unique_ptr<MemoryTables> tables_;
  const SyncMode sync_mode_;
  Status write_error_;
  std::deque<SyncRequest> sync_requests_;
  uint64_t last_sync_request_ = 0;
  size_t open_stores_ = 0;
};

}  // namespace orrery::storage

#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "orrery/storage/row_store.h"
#include "storage/pending_batch.h"

namespace orrery::storage {

/// The half of a RowStore that does not depend on where committed rows live: the pending batch, reads through
/// it, and the failed state. The memory twin and RocksDB share it, so that the simulation runs the code of
/// production.
class BufferedRowStore : public RowStore {
 public:
  Result<std::optional<std::string_view>> View(Table table, std::string_view key) const final;
  void Put(Table table, std::string_view key, std::string_view value) final;
  void PutOwned(Table table, std::string_view key, std::string value) final;
  void Delete(Table table, std::string_view key) final;
  void DeletePrefix(Table table, std::string_view prefix) final;
  std::unique_ptr<Cursor> Scan(Table table, std::string_view prefix, std::string_view from) const final;
  bool HasPending() const final { return !pending_.empty(); }
  Status Commit(Durability durability) final;
  Status Reopen() final;
  std::unique_ptr<Snapshot> TakeSnapshot() const final;

 protected:
  /// hash: HashRow(table, key). As View.
  virtual Result<std::optional<std::string_view>> ReadCommitted(Table table, std::string_view key,
                                                                uint64_t hash) const = 0;
  /// start >= prefix.
  virtual std::unique_ptr<Cursor> ScanCommitted(Table table, std::string_view prefix,
                                                std::string_view start) const = 0;
  virtual std::unique_ptr<Snapshot> SnapshotCommitted() const = 0;
  /// All of the batch or nothing of it. Called with an empty batch too, so that a shard with nothing to write
  /// hears of the failure of another one.
  virtual Status Write(const PendingBatch& batch, Durability durability) = 0;
  /// What Reopen does once the batch is gone.
  virtual Status OpenAnew() = 0;

  /// Fails the store as a failed Commit does; the first cause stays.
  void Fail(const Status& cause);
  const Status& failure() const { return failure_; }

 private:
  PendingBatch pending_;
  Status failure_;
};

}  // namespace orrery::storage

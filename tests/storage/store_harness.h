#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orrery/storage/row_store.h"

namespace orrery::storage {

/// A database under test, with two shards and the power to break it. One implementation per RowStore.
class StoreHarness {
 public:
  static constexpr size_t kShards = 2;
  virtual ~StoreHarness() = default;

  RowStore& shard(size_t i = 0) { return *shards_[i]; }
  /// Ends the process in order and starts it anew.
  void Restart();
  /// Cuts the power, loses whatever was never synced, and starts anew.
  void CutPower();

  void SyncSoon(size_t shard, std::function<void(Status)> done);
  /// Runs what the syncs so far hand to the shards' loops, and waits for it if need be.
  void FinishSyncs();

  /// What a node does after a failure: has every shard hear of it and reopens all. The first error, if one
  /// stays failed.
  Status ReopenAll();

  /// From now on writes fail with that code, which is kFull or kIoError.
  virtual void BreakDisk(StatusCode code) = 0;
  virtual void MendDisk() = 0;

 protected:
  void OpenShards();
  void CloseShards() { shards_.clear(); }
  virtual std::unique_ptr<RowStore> OpenShard() = 0;
  /// REQUIRES: the shards are closed.
  virtual void ReopenDatabase(bool lose_unsynced) = 0;
  /// Lets at least one sync that is under way report.
  virtual void RunSomeSyncs() = 0;
  /// Runs what is left of syncs of stores that are gone.
  virtual void RunLeftovers() = 0;

 private:
  std::vector<std::unique_ptr<RowStore>> shards_;
  size_t unfinished_syncs_ = 0;
};

std::unique_ptr<StoreHarness> MakeMemoryHarness();
std::unique_ptr<StoreHarness> MakeRocksHarness();

using Rows = std::vector<std::pair<std::string, std::string>>;
/// What the walk yields; an error is one more row, "error" -> its text, which no test expects.
Rows ReadAll(std::unique_ptr<Cursor> cursor);
Rows ReadAll(const RowStore& store, Table table, std::string_view prefix = {}, std::string_view from = {});

/// The value, "(none)", or "error: " and its text.
std::string ReadOne(const RowStore& store, Table table, std::string_view key);

/// A directory of this process below the tests' temporary one that does not exist yet.
std::string NewTestDirectory();

}  // namespace orrery::storage

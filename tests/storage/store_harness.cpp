#include "storage/store_harness.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "orrery/storage/memory_row_store.h"
#include "orrery/storage/rocksdb_row_store.h"
#include "storage/faulty_file_system.h"

namespace orrery::storage {

void StoreHarness::OpenShards() {
  for (size_t i = 0; i < kShards; ++i) shards_.push_back(OpenShard());
}

void StoreHarness::Restart() {
  CloseShards();
  ReopenDatabase(/*lose_unsynced=*/false);
  OpenShards();
  RunLeftovers();
  unfinished_syncs_ = 0;
}

void StoreHarness::CutPower() {
  CloseShards();
  ReopenDatabase(/*lose_unsynced=*/true);
  OpenShards();
  RunLeftovers();
  unfinished_syncs_ = 0;
}

Status StoreHarness::ReopenAll() {
  for (const auto& shard : shards_) static_cast<void>(shard->Commit(Durability::kMemory));
  Status first;
  for (int round = 0; round < 2; ++round) {  // in the first round all but the last stand in each other's way
    first = Status::Ok();
    for (const auto& shard : shards_) {
      Status reopened = shard->Reopen();
      if (first.ok()) first = std::move(reopened);
    }
  }
  return first;
}

void StoreHarness::SyncSoon(size_t shard, std::function<void(Status)> done) {
  ++unfinished_syncs_;
  shards_[shard]->SyncSoon([this, done = std::move(done)](Status outcome) {
    --unfinished_syncs_;
    done(std::move(outcome));
  });
}

void StoreHarness::FinishSyncs() {
  while (unfinished_syncs_ > 0) RunSomeSyncs();
}

namespace {

class MemoryHarness final : public StoreHarness {
 public:
  MemoryHarness() { OpenShards(); }
  ~MemoryHarness() override { CloseShards(); }

  void BreakDisk(StatusCode code) override { database_.FailWrites({code, "simulated"}); }
  void MendDisk() override { database_.FailWrites(Status::Ok()); }

 protected:
  std::unique_ptr<RowStore> OpenShard() override { return database_.OpenShard(); }
  void ReopenDatabase(bool lose_unsynced) override {
    if (lose_unsynced) database_.Crash(0);
  }
  void RunSomeSyncs() override { database_.CompleteSyncs(); }
  void RunLeftovers() override { database_.CompleteSyncs(); }

 private:
  MemoryDatabase database_{MemoryDatabase::SyncMode::kManual};
};

/// A loop reduced to its queue of tasks.
class TaskQueue {
 public:
  void Post(std::function<void()> task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    arrived_.notify_one();
  }
  void Run(bool wait) {
    std::vector<std::function<void()>> tasks;
    {
      std::unique_lock lock(mutex_);
      if (wait) arrived_.wait(lock, [this] { return !tasks_.empty(); });
      tasks.swap(tasks_);
    }
    for (const auto& task : tasks) task();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::function<void()>> tasks_;
};

class RocksHarness final : public StoreHarness {
 public:
  RocksHarness() : path_(NewTestDirectory()), env_(MakeFaultyEnv(&disk_)) {
    OpenDatabase();
    OpenShards();
  }
  ~RocksHarness() override {
    CloseShards();
    database_.reset();
    std::filesystem::remove_all(path_);
  }

  void BreakDisk(StatusCode code) override {
    disk_.FailWith(code == StatusCode::kFull ? rocksdb::IOStatus::NoSpace("simulated")
                                             : rocksdb::IOStatus::IOError("simulated"));
  }
  void MendDisk() override { disk_.FailWith(rocksdb::IOStatus::OK()); }

 protected:
  std::unique_ptr<RowStore> OpenShard() override {
    ShardOptions options;
    options.row_cache_bytes = 4096;  // small, so that eviction is part of the test
    options.post = [this](std::function<void()> task) { loop_.Post(std::move(task)); };
    return database_->OpenShard(options);
  }
  void ReopenDatabase(bool lose_unsynced) override {
    // Closing must not save what a power cut would have lost.
    if (lose_unsynced) disk_.FailWith(rocksdb::IOStatus::IOError("the power is off"));
    database_.reset();
    if (lose_unsynced) disk_.ForgetUnsynced();
    MendDisk();
    OpenDatabase();
  }
  void RunSomeSyncs() override { loop_.Run(/*wait=*/true); }
  void RunLeftovers() override { loop_.Run(/*wait=*/false); }

 private:
  void OpenDatabase() {
    RocksOptions options;
    options.path = path_;
    options.block_cache_bytes = size_t{1} << 20;
    options.write_buffer_bytes = size_t{8} << 20;
    options.env = env_.get();
    auto opened = RocksDatabase::Open(options);
    ORRERY_CHECK(opened.ok());
    database_ = std::move(*opened);
  }

  const std::string path_;
  TaskQueue loop_;
  FaultyDisk disk_;
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<RocksDatabase> database_;
};

}  // namespace

std::unique_ptr<StoreHarness> MakeMemoryHarness() {
  return std::make_unique<MemoryHarness>();
}
std::unique_ptr<StoreHarness> MakeRocksHarness() {
  return std::make_unique<RocksHarness>();
}

Rows ReadAll(std::unique_ptr<Cursor> cursor) {
  Rows rows;
  for (; cursor->Valid(); cursor->Next()) rows.emplace_back(cursor->key(), cursor->value());
  if (!cursor->status().ok()) rows.emplace_back("error", cursor->status().message());
  return rows;
}

Rows ReadAll(const RowStore& store, Table table, std::string_view prefix, std::string_view from) {
  return ReadAll(store.Scan(table, prefix, from));
}

std::string ReadOne(const RowStore& store, Table table, std::string_view key) {
  const auto value = store.Get(table, key);
  if (!value.ok()) return "error: " + value.status().message();
  return value->value_or("(none)");
}

std::string NewTestDirectory() {
  static int made = 0;
  const std::filesystem::path parent(testing::TempDir());
  std::filesystem::path path;
  do {
    path = parent / ("orrery-storage-" + std::to_string(getpid()) + "-" + std::to_string(++made));
  } while (std::filesystem::exists(path));
  return path.string();
}

}  // namespace orrery::storage

#include "orrery/storage/rocksdb_row_store.h"

#include <rocksdb/env.h>
#include <rocksdb/utilities/checkpoint.h>

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "storage/rocks_engine.h"
#include "storage/rocks_row_store.h"
#include "storage/rocks_status.h"

namespace orrery::storage {
namespace {

Status NotOpen() {
  return Status::Unavailable("the database has failed and is not open");
}

Status ClearLocked(const std::string& path) {
  std::error_code error;
  std::vector<std::filesystem::path> entries;
  for (std::filesystem::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename() != "LOCK") entries.push_back(at->path());
  }
  for (size_t i = 0; i < entries.size() && !error; ++i) std::filesystem::remove_all(entries[i], error);
  if (error) return Status::IoError("clear " + path + ": " + error.message());
  std::unique_ptr<rocksdb::Directory> folder;
  rocksdb::Status synced = rocksdb::Env::Default()->NewDirectory(path, &folder);
  if (synced.ok()) synced = folder->Fsync();
  return FromRocks(synced, "sync " + path);
}

}  // namespace

Result<std::unique_ptr<RocksDatabase>> RocksDatabase::Open(const RocksOptions& options) {
  auto engine = RocksEngine::Open(options);
  if (!engine.ok()) return engine.status();
  auto lost = RocksRescue(options).Lost();
  if (!lost.ok()) return lost.status();
  std::unique_ptr<RocksDatabase> database(new RocksDatabase(std::move(*engine)));
  database->lost_ = std::move(*lost);
  return database;
}

// The folder itself stays: it may be another disk's, mounted there or linked to.
Status RocksDatabase::Clear(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return Status::Ok();
  rocksdb::Env* const env = rocksdb::Env::Default();
  rocksdb::FileLock* lock = nullptr;
  if (const rocksdb::Status locked = env->LockFile(path + "/LOCK", &lock); !locked.ok()) {
    return FromRocks(locked, "lock " + path);
  }
  Status cleared = ClearLocked(path);
  env->UnlockFile(lock).PermitUncheckedError();
  return cleared;
}

RocksDatabase::RocksDatabase(std::unique_ptr<RocksEngine> engine) : engine_(std::move(engine)) {}

RocksDatabase::~RocksDatabase() = default;

std::unique_ptr<RowStore> RocksDatabase::OpenShard(ShardOptions options) {
  return std::make_unique<RocksRowStore>(engine_.get(), std::move(options));
}

Status RocksDatabase::Checkpoint(const std::string& path) {
  const auto instance = engine_->instance();
  if (instance == nullptr) return NotOpen();
  rocksdb::Checkpoint* raw = nullptr;
  const rocksdb::Status made = rocksdb::Checkpoint::Create(&instance->db(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  if (!made.ok()) return FromRocks(made, "checkpoint");
  return FromRocks(checkpoint->CreateCheckpoint(path), "checkpoint to " + path);
}

Status RocksDatabase::Flush() {
  const auto instance = engine_->instance();
  return instance != nullptr ? instance->Flush() : NotOpen();
}

Status RocksDatabase::VerifyChecksums() {
  const auto instance = engine_->instance();
  if (instance == nullptr) return NotOpen();
  return FromRocks(instance->db().VerifyChecksum(), "verify checksums");
}

Status RocksDatabase::ForgetLostRanges() {
  lost_.clear();
  return engine_->rescue().ForgetLost();
}

Status RocksDatabase::Suspect(const std::string& why) {
  return engine_->rescue().Suspect(why);
}

void RocksDatabase::SetScrub(const ScrubOptions& options) {
  engine_->scrubber().Set(options);
}

void RocksDatabase::StopScrub() {
  engine_->scrubber().Stop();
}

std::map<std::string, uint64_t> RocksDatabase::Properties() const {
  return engine_->Properties();
}

}  // namespace orrery::storage

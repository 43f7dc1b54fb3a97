#include "storage/rocks_instance.h"

#include <rocksdb/listener.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "storage/rocks_options.h"
#include "storage/rocks_rescue.h"
#include "storage/rocks_status.h"

namespace orrery::storage {

std::vector<rocksdb::ColumnFamilyDescriptor> MakeFamilies(
    const RocksOptions& options, const std::shared_ptr<rocksdb::Cache>& block_cache,
    const std::shared_ptr<LatestBuckets>& row_buckets,
    const std::shared_ptr<const SnapshotCount>& snapshots) {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (size_t i = 0; i < kTableCount; ++i) {
    const auto table = static_cast<Table>(i);
    families.emplace_back(std::string(FamilyName(table)),
                          MakeFamilyOptions(options, table, block_cache,
                                            table == Table::kRows ? row_buckets : nullptr, snapshots));
  }
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
  return families;
}

namespace {

// A damaged file that a flush or compaction has met fails the database for good; the next opening takes it
// out.
class DamageListener final : public rocksdb::EventListener {
 public:
  explicit DamageListener(const RocksOptions& options) : options_(options) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status* status) override {
    if (options_.log) options_.log("background error: " + status->ToString());
    if (!IsDamagedRead(*status)) return;
    const Status noted = RocksRescue(options_).Suspect(status->ToString());
    if (!noted.ok() && options_.log) options_.log(noted.message());
  }

 private:
  const RocksOptions options_;
};

}  // namespace

Result<std::shared_ptr<RocksInstance>> RocksInstance::Open(
    const RocksOptions& options, const std::shared_ptr<rocksdb::Cache>& block_cache,
    const std::shared_ptr<rocksdb::Statistics>& statistics) {
  std::error_code error;
  std::filesystem::create_directories(options.path, error);
  if (error) return Status::IoError("create " + options.path + ": " + error.message());

  std::shared_ptr<RocksInstance> instance(new RocksInstance());
  rocksdb::Env* const env = options.env != nullptr ? options.env : rocksdb::Env::Default();
  instance->logs_ = std::make_unique<LogFiles>(env->GetFileSystem(), options.path);
  rocksdb::DBOptions db_options = MakeDbOptions(options, statistics);
  db_options.env = instance->logs_->env();
  db_options.listeners.push_back(std::make_shared<DamageListener>(options));
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened =
      rocksdb::DB::Open(db_options, options.path,
                        MakeFamilies(options, block_cache, instance->row_buckets_, instance->snapshots_),
                        &instance->all_families_, &db);
  if (!opened.ok()) return FromRead(opened, "open " + options.path);
  instance->db_.reset(db);
  // Nothing could be synced.
  if (!instance->logs_->has_logs()) return Status::IoError("the write-ahead log is not in " + options.path);
  std::copy_n(instance->all_families_.begin(), kTableCount, instance->families_.begin());
  return instance;
}

RocksInstance::~RocksInstance() {
  if (db_ == nullptr) return;
  // Nobody is left to hear of an error, and nothing was promised of what is not synced.
  static_cast<void>(SyncWal());
  for (rocksdb::ColumnFamilyHandle* family : all_families_) {
    db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  }
  db_->Close().PermitUncheckedError();
}

Status RocksInstance::Write(bool sync, rocksdb::WriteBatch* batch) {
  if (has_failed()) return failure();
  rocksdb::WriteOptions options;
  options.sync = sync;
  const rocksdb::Status written = db_->Write(options, batch);
  return written.ok() ? Status::Ok() : FailWith(FromRocks(written, "commit"));
}

Status RocksInstance::SyncWal() {
  if (has_failed()) return failure();
  const rocksdb::IOStatus synced = logs_->Sync();
  return synced.ok() ? Status::Ok() : FailWith(FromRocks(synced, "sync the log"));
}

Status RocksInstance::Flush() {
  return FromRocks(db_->Flush(rocksdb::FlushOptions(), all_families_), "flush");
}

Status RocksInstance::failure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

Status RocksInstance::FailWith(Status cause) {
  const std::lock_guard lock(failure_mutex_);
  if (failure_.ok()) failure_ = std::move(cause);
  has_failed_.store(true, std::memory_order_release);
  return failure_;
}

}  // namespace orrery::storage

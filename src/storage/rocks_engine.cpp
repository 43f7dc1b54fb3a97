#include "storage/rocks_engine.h"

#include <algorithm>

#include "storage/rocks_properties.h"

namespace orrery::storage {
namespace {

std::shared_ptr<rocksdb::Statistics> MakeStatistics() {
  auto statistics = rocksdb::CreateDBStatistics();
  statistics->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);
  return statistics;
}

}  // namespace

RocksEngine::RocksEngine(const RocksOptions& options)
    : options_(options),
      rescue_(options),
      block_cache_(rocksdb::NewLRUCache(options.block_cache_bytes)),
      statistics_(MakeStatistics()) {}

Result<std::unique_ptr<RocksEngine>> RocksEngine::Open(const RocksOptions& options) {
  std::unique_ptr<RocksEngine> engine(new RocksEngine(options));
  auto instance = engine->OpenWithRescue();
  if (!instance.ok()) return instance.status();
  engine->instance_ = std::move(*instance);
  engine->scrubber_ = std::make_unique<RocksScrubber>(RocksScrubber::Hooks{
      [raw = engine.get()] { return raw->ListFiles(); },
      [raw = engine.get()](const TableFile& file) {
        const Status status = CheckTableFile(raw->options_, file);
        // A compaction may have replaced it meanwhile.
        return status.ok() || raw->IsLive(file) ? status : Status::Ok();
      },
      [raw = engine.get()](const TableFile& file, const Status& status) { raw->OnDamagedFile(file, status); }});
  engine->instance_->OnCorruption([raw = engine.get()] { raw->scrubber_->Hurry(); });
  engine->syncer_ = std::make_unique<WalSyncer>([raw = engine.get()] { return raw->SyncInstance(); });
  return engine;
}

Result<std::shared_ptr<RocksInstance>> RocksEngine::OpenInstance() const {
  return RocksInstance::Open(options_, block_cache_, statistics_);
}

// Damage that keeps the database from opening, or that an earlier opening has told of, is taken out of it first.
Result<std::shared_ptr<RocksInstance>> RocksEngine::OpenWithRescue() {
  if (rescue_.IsSuspected()) {
    if (const auto rescued = rescue_.Run(""); !rescued.ok()) return rescued.status();
  }
  auto opened = OpenInstance();
  if (opened.ok() || opened.status().code() != StatusCode::kCorruption) return opened;
  const auto rescued = rescue_.Run(opened.status().message());
  if (!rescued.ok()) return rescued.status();
  return *rescued == 0 ? std::move(opened) : OpenInstance();
}

std::vector<TableFile> RocksEngine::ListFiles() const {
  const auto in_use = instance();
  return in_use != nullptr ? ListTableFiles(&in_use->db()) : std::vector<TableFile>();
}

bool RocksEngine::IsLive(const TableFile& file) const {
  const std::vector<TableFile> files = ListFiles();
  return std::any_of(files.begin(), files.end(), [&](const TableFile& live) { return live.number == file.number; });
}

void RocksEngine::OnDamagedFile(const TableFile& file, const Status& status) {
  if (options_.log) options_.log("a table file is damaged: " + status.message());
  if (options_.on_damage) options_.on_damage(file.path, status.message());
}

std::shared_ptr<RocksInstance> RocksEngine::instance() const {
  const std::lock_guard lock(mutex_);
  return instance_;
}

Result<std::shared_ptr<RocksInstance>> RocksEngine::Reopen() {
  const std::lock_guard no_sync(sync_mutex_);
  const std::lock_guard lock(mutex_);
  if (instance_ != nullptr && !instance_->has_failed()) return instance_;
  if (instance_ != nullptr) {
    failed_instance_ = instance_;
    instance_.reset();
  }
  if (!failed_instance_.expired()) {
    return Status::Unavailable("the failed database is still in use: another shard, a cursor or a snapshot");
  }
  auto opened = OpenInstance();
  if (opened.ok()) instance_ = *opened;
  return opened;
}

Status RocksEngine::SyncInstance() {
  const std::lock_guard lock(sync_mutex_);
  const auto in_use = instance();
  return in_use != nullptr ? in_use->SyncWal() : Status::Unavailable("the database has failed");
}

std::shared_ptr<ShardCounters> RocksEngine::AddShard() {
  const std::lock_guard lock(mutex_);
  return shards_.emplace_back(std::make_shared<ShardCounters>());
}

std::map<std::string, uint64_t> RocksEngine::Properties() const {
  std::map<std::string, uint64_t> out;
  if (const auto in_use = instance()) {
    AddInstanceNumbers(in_use.get(), &out);
    out["failed"] = in_use->has_failed();
  } else {
    out["failed"] = 1;
  }
  out["block_cache_bytes"] = block_cache_->GetUsage();
  out["block_cache_bytes_max"] = block_cache_->GetCapacity();
  out["block_cache_hits"] = statistics_->getTickerCount(rocksdb::BLOCK_CACHE_HIT);
  out["block_cache_misses"] = statistics_->getTickerCount(rocksdb::BLOCK_CACHE_MISS);
  out["write_stall_us"] = statistics_->getTickerCount(rocksdb::STALL_MICROS);
  out["damaged_files_kept"] = rescue_.damaged_files();
  scrubber_->AddNumbers(&out);
  AddShardNumbers(&out);
  return out;
}

void RocksEngine::AddShardNumbers(std::map<std::string, uint64_t>* out) const {
  const std::lock_guard lock(mutex_);
  for (const auto& shard : shards_) {
    (*out)["row_cache_hits"] += shard->cache_hits;
    (*out)["row_cache_misses"] += shard->cache_misses;
    (*out)["row_cache_rows"] += shard->cache_rows;
    (*out)["row_cache_bytes"] += shard->cache_bytes;
    (*out)["commits"] += shard->commits;
    (*out)["failed_commits"] += shard->failed_commits;
  }
}

}  // namespace orrery::storage

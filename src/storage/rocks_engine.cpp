#include "storage/rocks_engine.h"

#include <filesystem>
#include <utility>

#include "storage/rocks_options.h"
#include "storage/rocks_status.h"

namespace orrery::storage {
namespace {

using Properties = rocksdb::DB::Properties;

std::vector<rocksdb::ColumnFamilyDescriptor> MakeFamilies(
    const RocksOptions& options, const std::shared_ptr<rocksdb::Cache>& block_cache) {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (size_t i = 0; i < kTableCount; ++i) {
    const auto table = static_cast<Table>(i);
    families.emplace_back(std::string(FamilyName(table)), MakeFamilyOptions(options, table, block_cache));
  }
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
  return families;
}

}  // namespace

Result<std::unique_ptr<RocksEngine>> RocksEngine::Open(const RocksOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.path, error);
  if (error) return Status::IoError("create " + options.path + ": " + error.message());

  std::unique_ptr<RocksEngine> engine(new RocksEngine());
  engine->block_cache_ = rocksdb::NewLRUCache(options.block_cache_bytes);
  engine->statistics_ = rocksdb::CreateDBStatistics();
  engine->statistics_->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);

  rocksdb::DB* db = nullptr;
  const auto families = MakeFamilies(options, engine->block_cache_);
  const rocksdb::Status opened = rocksdb::DB::Open(MakeDbOptions(options, engine->statistics_), options.path,
                                                   families, &engine->all_families_, &db);
  if (!opened.ok()) return FromRocks(opened, "open " + options.path);
  engine->db_.reset(db);
  std::copy_n(engine->all_families_.begin(), kTableCount, engine->families_.begin());
  engine->syncer_ = std::make_unique<WalSyncer>([raw = engine.get()] { return raw->SyncWal(); });
  return engine;
}

RocksEngine::~RocksEngine() {
  if (db_ == nullptr) return;
  syncer_.reset();
  // Nobody is left to hear of an error, and nothing was promised of what is not synced.
  db_->SyncWAL().PermitUncheckedError();
  for (rocksdb::ColumnFamilyHandle* family : all_families_) {
    db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  }
  db_->Close().PermitUncheckedError();
}

Status RocksEngine::SyncWal() {
  return FromRocks(db_->SyncWAL(), "sync the log");
}

Status RocksEngine::Flush() {
  return FromRocks(db_->Flush(rocksdb::FlushOptions(), all_families_), "flush");
}

Status RocksEngine::Resume() {
  const std::lock_guard lock(resume_mutex_);
  Status resumed = FromRocks(db_->Resume(), "resume");
  if (!resumed.ok()) return resumed;
  // A sync that failed once may succeed the next time without having written anything (the kernel forgets
  // dirty pages that it could not write). Table files are written anew, and the old log is needed no longer.
  return Flush();
}

std::shared_ptr<ShardCounters> RocksEngine::AddShard() {
  const std::lock_guard lock(shards_mutex_);
  return shards_.emplace_back(std::make_shared<ShardCounters>());
}

uint64_t RocksEngine::SumOverFamilies(const std::string& property) {
  uint64_t sum = 0;
  db_->GetAggregatedIntProperty(property, &sum);
  return sum;
}

std::map<std::string, uint64_t> RocksEngine::Properties() {
  std::map<std::string, uint64_t> out;
  out["sst_bytes"] = SumOverFamilies(Properties::kTotalSstFilesSize);
  out["live_data_bytes"] = SumOverFamilies(Properties::kEstimateLiveDataSize);
  out["memtable_bytes"] = SumOverFamilies(Properties::kSizeAllMemTables);
  out["table_reader_bytes"] = SumOverFamilies(Properties::kEstimateTableReadersMem);
  out["compactions_pending"] = SumOverFamilies(Properties::kCompactionPending);
  out["compaction_pending_bytes"] = SumOverFamilies(Properties::kEstimatePendingCompactionBytes);
  db_->GetIntProperty(family(Table::kRows), Properties::kEstimateNumKeys, &out["estimated_rows"]);
  // These are the whole database's, whichever family is asked.
  db_->GetIntProperty(Properties::kNumRunningCompactions, &out["compactions_running"]);
  db_->GetIntProperty(Properties::kNumRunningFlushes, &out["flushes_running"]);
  db_->GetIntProperty(Properties::kNumSnapshots, &out["snapshots"]);
  db_->GetIntProperty(Properties::kBackgroundErrors, &out["background_errors"]);

  out["block_cache_bytes"] = block_cache_->GetUsage();
  out["block_cache_bytes_max"] = block_cache_->GetCapacity();
  out["block_cache_hits"] = statistics_->getTickerCount(rocksdb::BLOCK_CACHE_HIT);
  out["block_cache_misses"] = statistics_->getTickerCount(rocksdb::BLOCK_CACHE_MISS);
  out["wal_syncs"] = statistics_->getTickerCount(rocksdb::WAL_FILE_SYNCED);

  rocksdb::VectorLogPtr logs;
  if (db_->GetSortedWalFiles(logs).ok()) {
    uint64_t& wal_bytes = out["wal_bytes"];
    for (const auto& log : logs) wal_bytes += log->SizeFileBytes();
  }
  AddStallNumbers(&out);
  AddShardNumbers(&out);
  return out;
}

void RocksEngine::AddStallNumbers(std::map<std::string, uint64_t>* out) {
  db_->GetIntProperty(Properties::kIsWriteStopped, &(*out)["write_stopped"]);
  db_->GetIntProperty(Properties::kActualDelayedWriteRate, &(*out)["write_delayed_rate"]);
  (*out)["write_stall_us"] = statistics_->getTickerCount(rocksdb::STALL_MICROS);
  uint64_t& slowdowns = (*out)["write_slowdowns"];
  uint64_t& stops = (*out)["write_stops"];
  for (rocksdb::ColumnFamilyHandle* handle : families_) {
    std::map<std::string, std::string> numbers;
    if (!db_->GetMapProperty(handle, Properties::kCFStats, &numbers)) continue;
    slowdowns += std::strtoull(numbers["io_stalls.total_slowdown"].c_str(), nullptr, 10);
    stops += std::strtoull(numbers["io_stalls.total_stop"].c_str(), nullptr, 10);
  }
}

void RocksEngine::AddShardNumbers(std::map<std::string, uint64_t>* out) {
  const std::lock_guard lock(shards_mutex_);
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

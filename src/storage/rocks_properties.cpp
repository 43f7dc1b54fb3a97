#include "storage/rocks_properties.h"

#include <cstdlib>

namespace orrery::storage {
namespace {

using Numbers = std::map<std::string, uint64_t>;
using Properties = rocksdb::DB::Properties;

uint64_t SumOverFamilies(rocksdb::DB* db, const std::string& property) {
  uint64_t sum = 0;
  db->GetAggregatedIntProperty(property, &sum);
  return sum;
}

void AddStalls(RocksInstance* instance, Numbers* out) {
  rocksdb::DB& db = instance->db();
  db.GetIntProperty(Properties::kIsWriteStopped, &(*out)["write_stopped"]);
  db.GetIntProperty(Properties::kActualDelayedWriteRate, &(*out)["write_delayed_rate"]);
  uint64_t& slowdowns = (*out)["write_slowdowns"];
  uint64_t& stops = (*out)["write_stops"];
  for (size_t i = 0; i < kTableCount; ++i) {
    std::map<std::string, std::string> stats;
    if (!db.GetMapProperty(instance->family(static_cast<Table>(i)), Properties::kCFStats, &stats)) continue;
    slowdowns += std::strtoull(stats["io_stalls.total_slowdown"].c_str(), nullptr, 10);
    stops += std::strtoull(stats["io_stalls.total_stop"].c_str(), nullptr, 10);
  }
}

void AddLogs(rocksdb::DB* db, Numbers* out) {
  rocksdb::VectorLogPtr logs;
  if (!db->GetSortedWalFiles(logs).ok()) return;
  uint64_t& bytes = (*out)["wal_bytes"];
  for (const auto& log : logs) bytes += log->SizeFileBytes();
}

}  // namespace

void AddInstanceNumbers(RocksInstance* instance, Numbers* out) {
  rocksdb::DB& db = instance->db();
  (*out)["sst_bytes"] = SumOverFamilies(&db, Properties::kTotalSstFilesSize);
  (*out)["live_data_bytes"] = SumOverFamilies(&db, Properties::kEstimateLiveDataSize);
  (*out)["memtable_bytes"] = SumOverFamilies(&db, Properties::kSizeAllMemTables);
  (*out)["table_reader_bytes"] = SumOverFamilies(&db, Properties::kEstimateTableReadersMem);
  (*out)["compactions_pending"] = SumOverFamilies(&db, Properties::kCompactionPending);
  (*out)["compaction_pending_bytes"] = SumOverFamilies(&db, Properties::kEstimatePendingCompactionBytes);
  db.GetIntProperty(instance->family(Table::kRows), Properties::kEstimateNumKeys, &(*out)["estimated_rows"]);
  // These are the whole database's, whichever family is asked.
  db.GetIntProperty(Properties::kNumRunningCompactions, &(*out)["compactions_running"]);
  db.GetIntProperty(Properties::kNumRunningFlushes, &(*out)["flushes_running"]);
  db.GetIntProperty(Properties::kNumSnapshots, &(*out)["snapshots"]);
  db.GetIntProperty(Properties::kBackgroundErrors, &(*out)["background_errors"]);
  (*out)["wal_syncs"] = instance->sync_count();
  AddStalls(instance, out);
  AddLogs(&db, out);
}

}  // namespace orrery::storage

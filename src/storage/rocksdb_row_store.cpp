#include "orrery/storage/rocksdb_row_store.h"

#include <rocksdb/utilities/checkpoint.h>

#include <utility>

#include "storage/rocks_engine.h"
#include "storage/rocks_row_store.h"
#include "storage/rocks_status.h"

namespace orrery::storage {

Result<std::unique_ptr<RocksDatabase>> RocksDatabase::Open(const RocksOptions& options) {
  auto engine = RocksEngine::Open(options);
  if (!engine.ok()) return engine.status();
  return std::unique_ptr<RocksDatabase>(new RocksDatabase(std::move(*engine)));
}

RocksDatabase::RocksDatabase(std::unique_ptr<RocksEngine> engine) : engine_(std::move(engine)) {}

RocksDatabase::~RocksDatabase() = default;

std::unique_ptr<RowStore> RocksDatabase::OpenShard(ShardOptions options) {
  return std::make_unique<RocksRowStore>(engine_.get(), std::move(options));
}

Status RocksDatabase::Checkpoint(const std::string& path) {
  rocksdb::Checkpoint* raw = nullptr;
  const rocksdb::Status made = rocksdb::Checkpoint::Create(&engine_->db(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  if (!made.ok()) return FromRocks(made, "checkpoint");
  return FromRocks(checkpoint->CreateCheckpoint(path), "checkpoint to " + path);
}

Status RocksDatabase::Flush() {
  return engine_->Flush();
}

Status RocksDatabase::VerifyChecksums() {
  return FromRocks(engine_->db().VerifyChecksum(), "verify checksums");
}

std::map<std::string, uint64_t> RocksDatabase::Properties() const {
  return engine_->Properties();
}

}  // namespace orrery::storage

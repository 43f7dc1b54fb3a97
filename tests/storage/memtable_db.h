#pragma once

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "storage/store_harness.h"

namespace orrery::storage {

/// A RocksDB with one memtable, which it flushes only when it is told to.
class MemTableDb {
 protected:
  ~MemTableDb() {
    db_.reset();
    std::filesystem::remove_all(path_);
  }

  void Open(std::shared_ptr<rocksdb::MemTableRepFactory> memtables) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.allow_concurrent_memtable_write = false;
    options.flush_verify_memtable_count = false;
    options.write_buffer_size = size_t{256} << 20;
    options.memtable_factory = std::move(memtables);
    rocksdb::DB* db = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, path_, &db).ok());
    db_.reset(db);
  }
  void Put(const std::string& key, const std::string& value) {
    ASSERT_TRUE(db_->Put(rocksdb::WriteOptions(), key, value).ok());
  }
  std::string Get(const std::string& key) {
    std::string value;
    const rocksdb::Status read = db_->Get(rocksdb::ReadOptions(), key, &value);
    return read.IsNotFound() ? "(none)" : value;
  }
  std::unique_ptr<rocksdb::Iterator> NewIterator(const rocksdb::Snapshot* snapshot = nullptr) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options));
  }
  /// All rows, forwards.
  Rows Read(const rocksdb::Snapshot* snapshot = nullptr) {
    Rows rows;
    const auto it = NewIterator(snapshot);
    for (it->SeekToFirst(); it->Valid(); it->Next())
      rows.emplace_back(it->key().ToString(), it->value().ToString());
    return rows;
  }

  const std::string path_ = NewTestDirectory();
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace orrery::storage

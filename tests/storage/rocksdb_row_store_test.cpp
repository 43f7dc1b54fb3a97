#include "orrery/storage/rocksdb_row_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "storage/store_harness.h"

/// What is RocksDB's own, beyond the contract of every row store.
namespace orrery::storage {
namespace {

class RocksDatabaseTest : public testing::Test {
 protected:
  RocksDatabaseTest() : path_(NewTestDirectory()) { Open(); }
  ~RocksDatabaseTest() override {
    store_.reset();
    database_.reset();
    std::filesystem::remove_all(path_);
  }

  static RocksOptions Options(const std::string& path) {
    RocksOptions options;
    options.path = path;
    options.block_cache_bytes = size_t{1} << 20;
    options.write_buffer_bytes = size_t{8} << 20;
    return options;
  }
  void Open() {
    auto opened = RocksDatabase::Open(Options(path_));
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    database_ = std::move(*opened);
    store_ = database_->OpenShard();
  }
  void Close() {
    store_.reset();
    database_.reset();
  }
  void PutRows(int count) {
    for (int i = 0; i < count; ++i) store_->Put(Table::kRows, "row " + std::to_string(100000 + i), Value(i));
    ASSERT_TRUE(store_->Commit(Durability::kDisk).ok());
  }
  Status SyncNow() {
    Status outcome = Status::Unavailable("nobody said so");
    store_->SyncSoon([&](const Status& s) { outcome = s; });
    return outcome;
  }
  static std::string Value(int i) { return "value " + std::to_string(i * 7919); }

  std::vector<std::filesystem::path> TableFiles() const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (entry.path().extension() == ".sst") files.push_back(entry.path());
    }
    return files;
  }
  static void Damage(const std::filesystem::path& file, std::streamoff offset) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(offset);
    const char byte = static_cast<char>(stream.get() ^ 0x55);
    stream.seekp(offset);
    stream.put(byte);
    ASSERT_TRUE(stream.good());
  }

  const std::string path_;
  std::unique_ptr<RocksDatabase> database_;
  std::unique_ptr<RowStore> store_;
};

TEST_F(RocksDatabaseTest, DamagedBlockIsCorruptionAndNeverNotFound) {
  PutRows(1000);
  ASSERT_TRUE(database_->Flush().ok());
  EXPECT_TRUE(database_->VerifyChecksums().ok());
  Close();
  const auto files = TableFiles();
  ASSERT_EQ(files.size(), 1u);
  Damage(files[0], 100);  // in the first data block
  Open();
  EXPECT_EQ(store_->Get(Table::kRows, "row 100000").status().code(), StatusCode::kCorruption);
  EXPECT_EQ(store_->Get(Table::kRows, "row 100000").status().code(), StatusCode::kCorruption);
  EXPECT_EQ(ReadOne(*store_, Table::kRows, "row 100999"), Value(999));

  const auto cursor = store_->Scan(Table::kRows, "");
  EXPECT_FALSE(cursor->Valid());
  EXPECT_EQ(cursor->status().code(), StatusCode::kCorruption);
  EXPECT_EQ(database_->VerifyChecksums().code(), StatusCode::kCorruption);

  // The replica drops what it cannot read and merges anew.
  store_->DeletePrefix(Table::kRows, "row");
  store_->Put(Table::kRows, "row 100000", "merged");
  ASSERT_TRUE(store_->Commit(Durability::kDisk).ok());
  EXPECT_EQ(ReadOne(*store_, Table::kRows, "row 100000"), "merged");
  EXPECT_EQ(ReadOne(*store_, Table::kRows, "row 100001"), "(none)");
}

TEST_F(RocksDatabaseTest, APrefixIsDeletedAmongManyKeysThatWentOneByOne) {
  constexpr int kGone = 10'000;
  PutRows(kGone);
  for (int i = 0; i < kGone; ++i) store_->Delete(Table::kRows, "row " + std::to_string(100000 + i));
  store_->Put(Table::kRows, "row 100007", "left");
  store_->Put(Table::kRows, "row 199999", "last");
  store_->Put(Table::kRows, "rox", "behind");
  ASSERT_TRUE(store_->Commit(Durability::kMemory).ok());
  EXPECT_EQ(ReadOne(*store_, Table::kRows, "row 199999"), "last");

  store_->DeletePrefix(Table::kRows, "row");
  ASSERT_TRUE(store_->Commit(Durability::kMemory).ok());
  EXPECT_EQ(ReadOne(*store_, Table::kRows, "row 100007"), "(none)");
  EXPECT_EQ(ReadOne(*store_, Table::kRows, "row 199999"), "(none)");
  const auto cursor = store_->Scan(Table::kRows, "");
  ASSERT_TRUE(cursor->Valid());
  EXPECT_EQ(cursor->key(), "rox");
}

TEST_F(RocksDatabaseTest, TellsOfTroubleInTheCallersLogAndKeepsNoneOfItsOwn) {
  PutRows(1000);
  ASSERT_TRUE(database_->Flush().ok());
  Close();
  for (const auto& file : TableFiles()) std::filesystem::resize_file(file, 10);
  std::vector<std::string> lines;
  RocksOptions options = Options(path_);
  options.log = [&](std::string_view line) { lines.emplace_back(line); };
  EXPECT_TRUE(RocksDatabase::Open(options).ok());
  ASSERT_FALSE(lines.empty());
  EXPECT_THAT(lines, testing::Contains(testing::HasSubstr("took the damaged table file")));
  EXPECT_FALSE(std::filesystem::exists(path_ + "/LOG"));
}

TEST_F(RocksDatabaseTest, SecondOpeningOfTheSameFilesIsRefused) {
  const auto second = RocksDatabase::Open(Options(path_));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), StatusCode::kIoError);
  EXPECT_NE(second.status().message().find(path_), std::string::npos);
}

TEST_F(RocksDatabaseTest, FilesOfANewerVersionAreRefused) {
  Close();
  {
    std::vector<std::string> families;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, path_, &families).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (const auto& name : families) descriptors.emplace_back(name, rocksdb::ColumnFamilyOptions());
    rocksdb::DB* db = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    ASSERT_TRUE(rocksdb::DB::Open({}, path_, descriptors, &handles, &db).ok());
    rocksdb::ColumnFamilyHandle* added = nullptr;
    ASSERT_TRUE(db->CreateColumnFamily({}, "table of the future", &added).ok());
    handles.push_back(added);
    for (auto* handle : handles) ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
    delete db;
  }
  EXPECT_EQ(RocksDatabase::Open(Options(path_)).status().code(), StatusCode::kInvalid);
}

TEST_F(RocksDatabaseTest, CheckpointOpensAsItWas) {
  PutRows(10);
  store_->Put(Table::kSlots, "slot", "clock");
  ASSERT_TRUE(store_->Commit(Durability::kMemory).ok());
  const std::string copy_path = path_ + "-copy";
  ASSERT_TRUE(database_->Checkpoint(copy_path).ok());
  EXPECT_EQ(database_->Checkpoint(copy_path).code(), StatusCode::kInvalid);
  store_->DeletePrefix(Table::kRows, "");
  ASSERT_TRUE(store_->Commit(Durability::kDisk).ok());
  {
    auto copy = RocksDatabase::Open(Options(copy_path));
    ASSERT_TRUE(copy.ok()) << copy.status().message();
    const auto copied = (*copy)->OpenShard();
    EXPECT_EQ(ReadAll(*copied, Table::kRows).size(), 10u);
    EXPECT_EQ(ReadOne(*copied, Table::kSlots, "slot"), "clock");
  }
  std::filesystem::remove_all(copy_path);
}

// A checkpoint copies logs to a folder that it renames at the end; the log's sync then looked for names in
// it.
TEST_F(RocksDatabaseTest, CommitsGoOnWhileCheckpointsAreMade) {
  std::atomic<int> made = 0;
  std::thread checkpoints([&] {
    for (; made < 40; ++made) {
      const std::string copy_path = path_ + "-copy";
      EXPECT_TRUE(database_->Checkpoint(copy_path).ok());
      std::filesystem::remove_all(copy_path);
    }
  });
  Status status;
  // Synced just when one is done, and not while it is made.
  for (int i = 0, seen = 0; status.ok() && made < 40; ++i) {
    store_->Put(Table::kRows, "row " + std::to_string(i % 1000), std::string(1000, 'x'));
    status = store_->Commit(Durability::kMemory);
    if (std::exchange(seen, made.load()) != made) status = SyncNow();
  }
  made = 40;
  checkpoints.join();
  EXPECT_TRUE(status.ok()) << status.message();
  status = SyncNow();
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST_F(RocksDatabaseTest, PropertiesCountWhatIsThere) {
  PutRows(1000);
  const auto before = database_->Properties();
  EXPECT_GT(before.at("memtable_bytes"), 1000u * 10);
  EXPECT_GT(before.at("wal_bytes"), 1000u * 10);
  EXPECT_EQ(before.at("estimated_rows"), 1000u);
  EXPECT_EQ(before.at("commits"), 1u);
  EXPECT_EQ(before.at("row_cache_rows"), 1000u);
  EXPECT_EQ(before.at("sst_bytes"), 0u);
  EXPECT_EQ(before.at("failed"), 0u);

  ASSERT_TRUE(database_->Flush().ok());
  EXPECT_EQ(ReadOne(*store_, Table::kRows, "row 100001"), Value(1));
  EXPECT_EQ(ReadOne(*store_, Table::kRows, "no such row"), "(none)");
  const auto after = database_->Properties();
  EXPECT_GT(after.at("sst_bytes"), 0u);
  EXPECT_EQ(after.at("row_cache_hits"), before.at("row_cache_hits") + 1);
  EXPECT_EQ(after.at("row_cache_misses"), before.at("row_cache_misses") + 1);
  for (const char* name :
       {"live_data_bytes", "block_cache_bytes", "block_cache_bytes_max", "block_cache_hits",
        "block_cache_misses", "compactions_pending", "compaction_pending_bytes", "compactions_running",
        "write_stopped", "write_slowdowns", "write_stops", "write_stall_us", "write_delayed_rate",
        "wal_syncs", "snapshots", "background_errors", "failed_commits"}) {
    EXPECT_TRUE(after.contains(name)) << name;
  }
}

TEST_F(RocksDatabaseTest, ShardsWriteAtTheSameTimeAndSyncTogether) {
  constexpr int kCommits = 300;
  const auto write = [&](const std::string& shard) {
    const auto own = database_->OpenShard();
    int synced = 0;
    for (int i = 0; i < kCommits; ++i) {
      own->Put(Table::kRows, shard + std::to_string(i), "value");
      own->Put(Table::kSlots, shard, std::to_string(i));
      ASSERT_TRUE(own->Commit(Durability::kMemory).ok());
      if (i % 100 == 0) own->SyncSoon([&](const Status& s) { synced += s.ok(); });
    }
    EXPECT_EQ(synced, kCommits / 100);
  };
  std::thread first(write, "a"), second(write, "b");
  first.join();
  second.join();
  EXPECT_EQ(ReadAll(*store_, Table::kRows).size(), 2u * kCommits);
  EXPECT_EQ(ReadAll(*store_, Table::kSlots), (Rows{{"a", "299"}, {"b", "299"}}));
}

TEST_F(RocksDatabaseTest, WorksWithoutARowCache) {
  const auto plain = database_->OpenShard({.row_cache_bytes = 0, .post = nullptr});
  plain->Put(Table::kRows, "a", "1");
  ASSERT_TRUE(plain->Commit(Durability::kMemory).ok());
  EXPECT_EQ(ReadOne(*plain, Table::kRows, "a"), "1");
  EXPECT_EQ(ReadOne(*plain, Table::kRows, "b"), "(none)");
}

TEST(RocksDatabaseOpenTest, SaysWhyItCannot) {
  RocksOptions options;
  options.path = "/proc/no such place/db";
  const auto opened = RocksDatabase::Open(options);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), StatusCode::kIoError);
  EXPECT_NE(opened.status().message().find(options.path), std::string::npos);
}

}  // namespace
}  // namespace orrery::storage

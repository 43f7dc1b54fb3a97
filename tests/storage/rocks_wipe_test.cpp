#include "orrery/storage/rocks_wipe.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "orrery/storage/rocksdb_row_store.h"
#include "storage/store_harness.h"

namespace orrery::storage {
namespace {

class WipeTest : public testing::Test {
 protected:
  WipeTest() { std::filesystem::create_directories(dir_); }
  ~WipeTest() override {
    Close();
    std::filesystem::remove_all(dir_);
  }

  void Open() {
    RocksOptions options;
    options.path = rows_;
    options.block_cache_bytes = size_t{1} << 20;
    options.write_buffer_bytes = size_t{8} << 20;
    auto opened = RocksDatabase::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    database_ = std::move(*opened);
    store_ = database_->OpenShard();
  }
  void Close() {
    store_.reset();
    database_.reset();
  }
  /// Leaves a closed database that has a row in a table file, and one in its log.
  void MakeDatabase() {
    Open();
    Put("first");
    ASSERT_TRUE(database_->Flush().ok());
    Put("second");
    Close();
  }
  void Put(const std::string& key) {
    store_->Put(Table::kRows, key, "value");
    ASSERT_TRUE(store_->Commit(Durability::kDisk).ok());
  }
  size_t Rows() {
    Open();
    const size_t rows = ReadAll(store_->Scan(Table::kRows, "")).size();
    Close();
    return rows;
  }
  void ExpectWiped() {
    const auto wiped = FinishWipe(mark_, rows_);
    ASSERT_TRUE(wiped.ok()) << wiped.status().message();
    EXPECT_TRUE(*wiped);
    EXPECT_FALSE(std::filesystem::exists(mark_));
    EXPECT_EQ(Rows(), 0u);
  }

  const std::string dir_ = NewTestDirectory();
  const std::string mark_ = dir_ + "/mark";
  const std::string rows_ = dir_ + "/rows";
  std::unique_ptr<RocksDatabase> database_;
  std::unique_ptr<RowStore> store_;
};

TEST_F(WipeTest, WithoutAMarkNothingHappens) {
  MakeDatabase();
  const auto wiped = FinishWipe(mark_, rows_);
  ASSERT_TRUE(wiped.ok());
  EXPECT_FALSE(*wiped);
  EXPECT_EQ(Rows(), 2u);
  EXPECT_FALSE(*FinishWipe(dir_ + "/not/there", rows_));
}

TEST_F(WipeTest, AMarkTakesAllRowsAndThenGoes) {
  MakeDatabase();
  ASSERT_TRUE(MarkForWipe(mark_).ok());
  EXPECT_EQ(Rows(), 2u) << "nothing is removed before the database is closed";
  ExpectWiped();
  EXPECT_FALSE(*FinishWipe(mark_, rows_));
}

TEST_F(WipeTest, WhatACrashHasLeftIsWipedTheNextTime) {
  MakeDatabase();
  ASSERT_TRUE(MarkForWipe(mark_).ok());
  // Half of the files are gone, and what the database needs first of all.
  bool odd = false;
  for (const auto& entry : std::filesystem::directory_iterator(rows_)) {
    if ((odd = !odd) || entry.path().filename() == "CURRENT") std::filesystem::remove_all(entry.path());
  }
  ExpectWiped();

  MakeDatabase();
  ASSERT_TRUE(MarkForWipe(mark_).ok());
  ASSERT_TRUE(MarkForWipe(mark_).ok());
  std::filesystem::remove_all(rows_);
  ExpectWiped();
}

TEST_F(WipeTest, EverythingInTheFolderGoesAndTheFolderStays) {
  const std::string elsewhere = dir_ + "/elsewhere";
  std::filesystem::create_directory(elsewhere);
  std::filesystem::create_directory_symlink(elsewhere, rows_);
  MakeDatabase();
  std::filesystem::create_directory(rows_ + "/damaged");
  std::ofstream(rows_ + "/damaged/7.sst") << "bytes";
  std::ofstream(rows_ + "/orrery-suspect") << "why";
  ASSERT_TRUE(MarkForWipe(mark_).ok());
  ExpectWiped();
  EXPECT_TRUE(std::filesystem::is_symlink(rows_));
  EXPECT_FALSE(std::filesystem::exists(elsewhere + "/damaged"));
  EXPECT_FALSE(std::filesystem::exists(elsewhere + "/orrery-suspect"));
}

TEST_F(WipeTest, AnOpenDatabaseIsLeftAlone) {
  MakeDatabase();
  ASSERT_TRUE(MarkForWipe(mark_).ok());
  Open();
  EXPECT_EQ(FinishWipe(mark_, rows_).status().code(), StatusCode::kIoError);
  EXPECT_TRUE(std::filesystem::exists(mark_));
  Put("third");
  Close();
  EXPECT_EQ(Rows(), 3u);
  ExpectWiped();
}

TEST_F(WipeTest, AMarkThatCannotBeMadeIsToldAndNotThere) {
  EXPECT_EQ(MarkForWipe(dir_ + "/not/there").code(), StatusCode::kIoError);
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/not"));
}

}  // namespace
}  // namespace orrery::storage

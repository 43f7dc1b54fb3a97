// Table files that are damaged or missing: what is taken out, what is told of it, and who notices.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <vector>

#include "orrery/storage/rocksdb_row_store.h"
#include "storage/faulty_file_system.h"
#include "storage/store_harness.h"

namespace orrery::storage {
namespace {

class RocksRescueTest : public testing::Test {
 protected:
  RocksRescueTest() : path_(NewTestDirectory()) {
    options_.path = path_;
    options_.block_cache_bytes = size_t{1} << 20;
    options_.write_buffer_bytes = size_t{8} << 20;
    options_.on_damage = [this](const std::string& file, const std::string&) {
      const std::lock_guard lock(mutex_);
      damaged_.push_back(file);
      told_.notify_all();
    };
  }
  ~RocksRescueTest() override {
    Close();
    std::filesystem::remove_all(path_);
  }

  Status Open() {
    auto opened = RocksDatabase::Open(options_);
    if (!opened.ok()) return opened.status();
    database_ = std::move(*opened);
    store_ = database_->OpenShard();
    return Status::Ok();
  }
  void Close() {
    store_.reset();
    database_.reset();
  }
  void Put(Table table, int first, int last, const std::string& value) {
    for (int i = first; i <= last; ++i) store_->Put(table, Key(i), value + std::to_string(i * 7919));
    ASSERT_TRUE(store_->Commit(Durability::kDisk).ok());
    ASSERT_TRUE(database_->Flush().ok());
  }
  static std::string Key(int i) { return "key " + std::to_string(100'000 + i); }

  /// The files that came since the last call.
  std::vector<std::filesystem::path> NewFiles() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (entry.path().extension() == ".sst" && known_.insert(entry.path()).second)
        files.push_back(entry.path());
    }
    return files;
  }
  static void Flip(const std::filesystem::path& file, std::streamoff offset) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(offset);
    const char byte = static_cast<char>(stream.get() ^ 0x55);
    stream.seekp(offset);
    stream.put(byte);
    ASSERT_TRUE(stream.good());
  }
  bool WaitUntilTold() {
    std::unique_lock lock(mutex_);
    return told_.wait_for(lock, std::chrono::seconds(60), [this] { return !damaged_.empty(); });
  }

  const std::string path_;
  RocksOptions options_;
  std::unique_ptr<RocksDatabase> database_;
  std::unique_ptr<RowStore> store_;
  std::set<std::filesystem::path> known_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::vector<std::string> damaged_;
};

TEST_F(RocksRescueTest, AMissingFileIsTakenOutAndWhatItHadIsToldUntilItIsForgotten) {
  ASSERT_TRUE(Open().ok());
  Put(Table::kRows, 0, 99, "old");
  const auto kept = NewFiles();
  Put(Table::kRows, 50, 149, "new");
  const auto lost = NewFiles();
  ASSERT_EQ(lost.size(), 1u);
  Close();
  std::filesystem::remove(lost[0]);
  const std::vector<LostRange> expected = {{Table::kRows, Key(50), Key(149)}};
  for (int i = 0; i < 2; ++i) {
    const Status opened = Open();
    ASSERT_TRUE(opened.ok()) << opened.message();
    EXPECT_EQ(database_->lost_ranges(), expected);
    EXPECT_EQ(ReadOne(*store_, Table::kRows, Key(10)), "old" + std::to_string(10 * 7919));
    Close();
  }
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(database_->ForgetLostRanges().ok());
  Close();
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(database_->lost_ranges().empty());
}

TEST_F(RocksRescueTest, ADamagedFileStaysUntilSomebodySuspectsIt) {
  ASSERT_TRUE(Open().ok());
  Put(Table::kCounts, 0, 99, "v");
  const auto files = NewFiles();
  ASSERT_EQ(files.size(), 1u);
  Close();
  Flip(files[0], 100);
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(database_->lost_ranges().empty());
  ASSERT_TRUE(database_->Suspect("it looks odd").ok());
  Close();
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(database_->lost_ranges(), (std::vector<LostRange>{{Table::kCounts, Key(0), Key(99)}}));
  EXPECT_EQ(database_->Properties().at("damaged_files_kept"), 1u);
  EXPECT_EQ(ReadOne(*store_, Table::kCounts, Key(1)), "(none)");
}

TEST_F(RocksRescueTest, ASuspicionWithoutDamageChangesNothing) {
  ASSERT_TRUE(Open().ok());
  Put(Table::kRows, 0, 99, "v");
  ASSERT_TRUE(database_->Suspect("000001.sst").ok());
  Close();
  ASSERT_TRUE(Open().ok());
  EXPECT_TRUE(database_->lost_ranges().empty());
  EXPECT_EQ(ReadOne(*store_, Table::kRows, Key(1)), "v7919");
}

TEST_F(RocksRescueTest, AFileThatSaysWhoTheNodeIsCannotBeDoneWithout) {
  ASSERT_TRUE(Open().ok());
  Put(Table::kNode, 0, 0, "v");
  const auto files = NewFiles();
  ASSERT_EQ(files.size(), 1u);
  Close();
  std::filesystem::remove(files[0]);
  const Status opened = Open();
  EXPECT_EQ(opened.code(), StatusCode::kCorruption);
  EXPECT_THAT(opened.message(), testing::HasSubstr("Restore the directory from a checkpoint"));
}

TEST_F(RocksRescueTest, WithoutAManifestItSaysWhatToDo) {
  ASSERT_TRUE(Open().ok());
  Put(Table::kRows, 0, 99, "v");
  Close();
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    if (entry.path().filename().string().starts_with("MANIFEST"))
      std::filesystem::resize_file(entry.path(), 20);
  }
  const Status opened = Open();
  EXPECT_EQ(opened.code(), StatusCode::kCorruption);
  EXPECT_THAT(opened.message(), testing::HasSubstr("CURRENT or MANIFEST"));
  EXPECT_THAT(opened.message(), testing::HasSubstr("Restore the directory from a checkpoint"));
}

TEST_F(RocksRescueTest, TheScrubFindsAFlippedByte) {
  ASSERT_TRUE(Open().ok());
  Put(Table::kRows, 0, 999, "v");
  const auto files = NewFiles();
  ASSERT_EQ(files.size(), 1u);
  database_->SetScrub({1, uint64_t{1} << 30});
  Flip(files[0], 100);
  ASSERT_TRUE(WaitUntilTold());
  EXPECT_EQ(std::filesystem::path(damaged_[0]).filename(), files[0].filename());
  EXPECT_GE(database_->Properties().at("scrub_files"), 0u);
}

TEST_F(RocksRescueTest, TheScrubFindsThatAFileIsGone) {
  ASSERT_TRUE(Open().ok());
  Put(Table::kRows, 0, 999, "v");
  const auto files = NewFiles();
  ASSERT_EQ(files.size(), 1u);
  std::filesystem::remove(files[0]);
  database_->SetScrub({1, uint64_t{1} << 30});
  EXPECT_TRUE(WaitUntilTold());
}

TEST_F(RocksRescueTest, AReadOfDamagedBytesHasTheFilesLookedAtAtOnce) {
  ASSERT_TRUE(Open().ok());
  Put(Table::kRows, 0, 999, "v");
  const auto files = NewFiles();
  Close();
  Flip(files[0], 100);
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(store_->Get(Table::kRows, Key(0)).status().code(), StatusCode::kCorruption);
  EXPECT_TRUE(WaitUntilTold()) << "although the scrub is off";
}

// Without the rescue the database would fail again with every opening.
TEST_F(RocksRescueTest, AfterACompactionThatMeetsDamageTheNextOpeningTakesTheFileOut) {
  ASSERT_TRUE(Open().ok());
  Put(Table::kRows, 0, 999, "first");
  const auto files = NewFiles();
  ASSERT_EQ(files.size(), 1u);
  Flip(files[0], 100);
  bool failed = false;
  for (int i = 0; i < 200 && !failed; ++i) {
    for (int k = 0; k < 1000; k += 3) store_->Put(Table::kRows, Key(k), "value " + std::to_string(i));
    failed = !store_->Commit(Durability::kDisk).ok() || !database_->Flush().ok();
  }
  ASSERT_TRUE(failed) << "no compaction has read the damaged block";
  Close();
  ASSERT_TRUE(Open().ok());
  ASSERT_EQ(database_->lost_ranges().size(), 1u);
  EXPECT_EQ(database_->lost_ranges()[0].first, Key(0));
  store_->Put(Table::kRows, Key(1), "goes on");
  EXPECT_TRUE(store_->Commit(Durability::kDisk).ok());
}

// ---- sectors that the disk gives back no more ----

class BadSectorsTest : public RocksRescueTest {
 protected:
  BadSectorsTest() : env_(MakeFaultyEnv(&disk_)) { options_.env = env_.get(); }
  ~BadSectorsTest() override { Close(); }

  FaultyDisk disk_;
  std::unique_ptr<rocksdb::Env> env_;
};

TEST_F(BadSectorsTest, AReadThatMeetsThemIsDamageAndHasTheFilesLookedAt) {
  ASSERT_TRUE(Open().ok());
  Put(Table::kRows, 0, 999, "v");
  const auto files = NewFiles();
  ASSERT_EQ(files.size(), 1u);
  Close();
  ASSERT_TRUE(Open().ok());
  disk_.FailReadsOf(files[0]);
  EXPECT_EQ(store_->Get(Table::kRows, Key(0)).status().code(), StatusCode::kCorruption);
  const auto walk = store_->Scan(Table::kRows, "");
  EXPECT_FALSE(walk->Valid());
  EXPECT_EQ(walk->status().code(), StatusCode::kCorruption);
  EXPECT_TRUE(WaitUntilTold()) << "although the scrub is off";
}

TEST_F(BadSectorsTest, AFileThatIsSuspectedAndCannotBeReadIsTakenOut) {
  ASSERT_TRUE(Open().ok());
  Put(Table::kCounts, 0, 99, "v");
  const auto files = NewFiles();
  ASSERT_EQ(files.size(), 1u);
  ASSERT_TRUE(database_->Suspect("it could not be read").ok());
  Close();
  disk_.FailReadsOf(files[0]);
  const Status opened = Open();
  ASSERT_TRUE(opened.ok()) << opened.message();
  EXPECT_EQ(database_->lost_ranges(), (std::vector<LostRange>{{Table::kCounts, Key(0), Key(99)}}));
}

}  // namespace
}  // namespace orrery::storage

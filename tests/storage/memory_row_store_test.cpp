#include "orrery/storage/memory_row_store.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <vector>

#include "storage/memory_tables.h"
#include "storage/store_harness.h"
#include "storage/test_random.h"

namespace orrery::storage {
namespace {

void PutAndCommit(RowStore* store, std::string_view key, std::string_view value,
                  Durability durability = Durability::kMemory) {
  store->Put(Table::kRows, key, value);
  ASSERT_TRUE(store->Commit(durability).ok());
}

TEST(MemoryDatabaseTest, CrashKeepsAsManyUnsyncedCommitsAsTold) {
  for (size_t keep = 0; keep <= 3; ++keep) {
    MemoryDatabase database(MemoryDatabase::SyncMode::kManual);
    auto store = database.OpenShard();
    PutAndCommit(store.get(), "key", "synced", Durability::kDisk);
    PutAndCommit(store.get(), "key", "1");
    store->Delete(Table::kRows, "key");
    ASSERT_TRUE(store->Commit(Durability::kMemory).ok());
    PutAndCommit(store.get(), "key", "3");
    EXPECT_EQ(database.unsynced_commits(), 3u);
    store.reset();
    database.Crash(keep);
    EXPECT_EQ(database.unsynced_commits(), 0u);
    const std::vector<std::string> expected = {"synced", "1", "(none)", "3"};
    store = database.OpenShard();
    EXPECT_EQ(ReadOne(*store, Table::kRows, "key"), expected[keep]);
  }
}

TEST(MemoryDatabaseTest, SyncCoversTheCommitsBeforeItAlone) {
  MemoryDatabase database(MemoryDatabase::SyncMode::kManual);
  auto store = database.OpenShard();
  PutAndCommit(store.get(), "a", "1");
  int reports = 0;
  store->SyncSoon([&](const Status& s) { reports += s.ok(); });
  PutAndCommit(store.get(), "b", "1");
  EXPECT_EQ(reports, 0);
  database.CompleteSyncs();
  EXPECT_EQ(reports, 1);
  EXPECT_EQ(database.unsynced_commits(), 1u);
}

TEST(MemoryDatabaseTest, ImmediateSyncReportsBeforeItReturns) {
  MemoryDatabase database;
  auto store = database.OpenShard();
  PutAndCommit(store.get(), "a", "1");
  int reports = 0;
  store->SyncSoon([&](const Status& s) { reports += s.ok(); });
  EXPECT_EQ(reports, 1);
  EXPECT_EQ(database.unsynced_commits(), 0u);
}

TEST(MemoryDatabaseTest, SyncAskedForByACallbackWaitsForTheNextRound) {
  MemoryDatabase database(MemoryDatabase::SyncMode::kManual);
  auto store = database.OpenShard();
  PutAndCommit(store.get(), "a", "1");
  int reports = 0;
  store->SyncSoon([&](const Status&) { store->SyncSoon([&](const Status&) { ++reports; }); });
  database.CompleteSyncs();
  EXPECT_EQ(reports, 0);
  database.CompleteSyncs();
  EXPECT_EQ(reports, 1);
}

TEST(MemoryDatabaseTest, OldImageTakesThePlaceOfTheDisk) {
  MemoryDatabase database(MemoryDatabase::SyncMode::kManual);
  auto store = database.OpenShard();
  PutAndCommit(store.get(), "a", "old", Durability::kDisk);
  PutAndCommit(store.get(), "b", "not synced");
  const auto image = database.CopyImage();
  PutAndCommit(store.get(), "a", "new", Durability::kDisk);
  store.reset();
  database.RestoreImage(*image);
  EXPECT_EQ(database.unsynced_commits(), 0u);
  store = database.OpenShard();
  EXPECT_EQ(ReadAll(*store, Table::kRows), (Rows{{"a", "old"}}));
  PutAndCommit(store.get(), "c", "1");
  store.reset();
  database.Crash(0);
  store = database.OpenShard();
  EXPECT_EQ(ReadAll(*store, Table::kRows), (Rows{{"a", "old"}}));
}

TEST(MemoryDatabaseTest, CorruptValueIsAnErrorAndNeverAbsent) {
  MemoryDatabase database;
  const auto store = database.OpenShard();
  for (const char* key : {"a", "b", "c"}) PutAndCommit(store.get(), key, "1");
  database.CorruptValue(Table::kRows, "b");
  EXPECT_EQ(store->Get(Table::kRows, "b").status().code(), StatusCode::kCorruption);
  EXPECT_EQ(store->TakeSnapshot()->Get(Table::kRows, "b").status().code(), StatusCode::kCorruption);
  EXPECT_EQ(ReadOne(*store, Table::kRows, "a"), "1");

  store->Put(Table::kRows, "d", "pending");
  const auto cursor = store->Scan(Table::kRows, "");
  ASSERT_TRUE(cursor->Valid());
  EXPECT_EQ(cursor->key(), "a");
  cursor->Next();
  EXPECT_FALSE(cursor->Valid());
  EXPECT_EQ(cursor->status().code(), StatusCode::kCorruption);

  PutAndCommit(store.get(), "b", "2");
  EXPECT_EQ(ReadAll(*store, Table::kRows).size(), 4u);
}

/// Versions are kept while somebody could ask for them, and no longer.
class MemoryTablesTest : public testing::Test {
 protected:
  void Commit(const std::string& key, const char* value) {
    const uint64_t hash = HashRow(Table::kRows, key);
    if (value == nullptr) {
      batch_.Delete(Table::kRows, key, hash);
    } else {
      batch_.Put(Table::kRows, key, hash, value);
    }
    tables_.Apply(batch_);
    batch_.Clear();
  }
  size_t VersionCount() const {
    size_t count = 0;
    for (const auto& [key, history] : tables_.keys(Table::kRows)) count += 1 + history.older.size();
    return count;
  }

  PendingBatch batch_;
  MemoryTables tables_;
};

TEST_F(MemoryTablesTest, SyncedVersionsAreReplacedAndDeletedKeysVanish) {
  for (int i = 0; i < 10; ++i) Commit("a", "value");
  EXPECT_EQ(VersionCount(), 10u);
  tables_.MarkSynced(tables_.newest());
  EXPECT_EQ(VersionCount(), 1u);
  Commit("a", nullptr);
  EXPECT_EQ(VersionCount(), 2u);
  tables_.MarkSynced(tables_.newest());
  EXPECT_EQ(VersionCount(), 0u);
}

TEST_F(MemoryTablesTest, SnapshotKeepsTheVersionsItSees) {
  Commit("a", "1");
  const auto snapshot = tables_.OpenSnapshot();
  for (int i = 0; i < 5; ++i) Commit("a", "2");
  Commit("a", nullptr);
  tables_.MarkSynced(tables_.newest());
  EXPECT_EQ(tables_.Find(Table::kRows, "a", snapshot)->value, "1");
  EXPECT_EQ(tables_.Find(Table::kRows, "a", tables_.newest()), nullptr);
  tables_.CloseSnapshot(snapshot);
  EXPECT_EQ(VersionCount(), 0u);
}

TEST_F(MemoryTablesTest, EveryPointOfInterestSeesWhatItSaw) {
  TestRandom random;
  using Rows = std::map<std::string, std::string>;
  std::map<MemoryTables::CommitNumber, Rows> states;  // of all commits that a crash or snapshot may want
  Rows now;
  states[0] = now;
  std::deque<MemoryTables::CommitNumber> snapshots;
  for (int step = 0; step < 20000; ++step) {
    const uint64_t dice = random.Below(100);
    if (dice < 70) {
      const std::string key = random.Bytes(2, "abc");
      const bool deleted = random.OneIn(3);
      const std::string value = std::to_string(step);
      Commit(key, deleted ? nullptr : value.c_str());
      if (deleted) {
        now.erase(key);
      } else {
        now[key] = value;
      }
      states[tables_.newest()] = now;
    } else if (dice < 80) {
      tables_.MarkSynced(tables_.synced() + random.Below(tables_.newest() - tables_.synced() + 1));
    } else if (dice < 88) {
      snapshots.push_back(tables_.OpenSnapshot());
    } else if (!snapshots.empty()) {
      tables_.CloseSnapshot(snapshots.front());
      snapshots.pop_front();
    } else if (dice >= 98) {
      const auto back_to = tables_.synced() + random.Below(tables_.newest() - tables_.synced() + 1);
      tables_.GoBackTo(back_to);
      states.erase(states.upper_bound(back_to), states.end());
      now = states.at(back_to);
    }
    std::vector<MemoryTables::CommitNumber> interests(snapshots.begin(), snapshots.end());
    interests.push_back(tables_.newest());
    interests.push_back(tables_.synced());
    const auto at = interests[random.Below(interests.size())];
    const auto image = tables_.CopyAt(at);
    ASSERT_EQ(image[static_cast<size_t>(Table::kRows)], states.at(at)) << "step " << step;
  }
}

}  // namespace
}  // namespace orrery::storage

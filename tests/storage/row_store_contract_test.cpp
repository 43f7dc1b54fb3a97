#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/store_harness.h"

/// What every RowStore promises (row_store.h), held by both of them.
namespace orrery::storage {
namespace {

using std::string_literals::operator""s;

struct Implementation {
  const char* name;
  std::unique_ptr<StoreHarness> (*make)();
};

class RowStoreContract : public testing::TestWithParam<Implementation> {
 protected:
  RowStoreContract() : harness_(GetParam().make()) {}

  RowStore& store() { return harness_->shard(); }
  void PutCommitted(const Rows& rows, Durability durability = Durability::kMemory) {
    for (const auto& [key, value] : rows) store().Put(Table::kRows, key, value);
    ASSERT_TRUE(store().Commit(durability).ok());
  }

  std::unique_ptr<StoreHarness> harness_;
};

INSTANTIATE_TEST_SUITE_P(Stores, RowStoreContract,
                         testing::Values(Implementation{"Memory", MakeMemoryHarness},
                                         Implementation{"RocksDb", MakeRocksHarness}),
                         [](const auto& instance) { return instance.param.name; });

// Pending changes

TEST_P(RowStoreContract, PendingChangesShowInTheirOwnStoreAlone) {
  store().Put(Table::kSlots, "a", "1");
  EXPECT_TRUE(store().HasPending());
  EXPECT_EQ(ReadOne(store(), Table::kSlots, "a"), "1");
  EXPECT_EQ(ReadOne(store(), Table::kRows, "a"), "(none)");
  EXPECT_EQ(ReadOne(harness_->shard(1), Table::kSlots, "a"), "(none)");

  ASSERT_TRUE(store().Commit(Durability::kMemory).ok());
  EXPECT_FALSE(store().HasPending());
  EXPECT_EQ(ReadOne(store(), Table::kSlots, "a"), "1");
  EXPECT_EQ(ReadOne(harness_->shard(1), Table::kSlots, "a"), "1");
}

TEST_P(RowStoreContract, LastChangeOfAKeyWins) {
  PutCommitted({{"a", "old"}, {"b", "old"}});
  store().Delete(Table::kRows, "a");
  EXPECT_EQ(ReadOne(store(), Table::kRows, "a"), "(none)");
  store().Put(Table::kRows, "a", "new");
  store().Put(Table::kRows, "b", "new");
  store().Delete(Table::kRows, "b");
  store().Delete(Table::kRows, "never there");
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(ReadOne(store(), Table::kRows, "a"), "new");
    EXPECT_EQ(ReadOne(store(), Table::kRows, "b"), "(none)");
    ASSERT_TRUE(store().Commit(Durability::kMemory).ok());
  }
}

TEST_P(RowStoreContract, KeepsAnyBytes) {
  const Rows rows = {
      {"", "empty key"}, {"\0"s, ""}, {"\0\xff"s, "\0\0"s}, {"\xff\xff"s, std::string(300000, 'x')}};
  PutCommitted(rows);
  EXPECT_EQ(ReadAll(store(), Table::kRows), rows);
  EXPECT_EQ(ReadOne(store(), Table::kRows, "\0"s), "");
  harness_->Restart();
  EXPECT_EQ(ReadAll(store(), Table::kRows), rows);
}

TEST_P(RowStoreContract, TakesOverValuesOfAnySize) {
  std::map<std::string, std::string> rows;
  for (const size_t size : {0, 1, 512, 513, 100'000, 3'000'000, 10}) {
    const std::string value(size, 'x');
    store().PutOwned(Table::kRows, std::to_string(size), value);
    rows[std::to_string(size)] = value;
    EXPECT_TRUE(ReadOne(store(), Table::kRows, std::to_string(size)) == value);
    if (size != 100'000) continue;
    ASSERT_TRUE(store().Commit(Durability::kMemory).ok());
  }
  store().PutOwned(Table::kRows, "1", std::string(5000, 'y'));
  rows["1"] = std::string(5000, 'y');
  ASSERT_TRUE(store().Commit(Durability::kDisk).ok());
  store().PutOwned(Table::kRows, "3000000", "short");
  rows["3000000"] = "short";
  ASSERT_TRUE(store().Commit(Durability::kDisk).ok());
  const Rows expected(rows.begin(), rows.end());
  EXPECT_TRUE(ReadAll(store(), Table::kRows) == expected);
  harness_->Restart();
  EXPECT_TRUE(ReadAll(store(), Table::kRows) == expected);
}

TEST_P(RowStoreContract, TablesAreApart) {
  for (size_t i = 0; i < kTableCount; ++i) store().Put(static_cast<Table>(i), "key", std::to_string(i));
  ASSERT_TRUE(store().Commit(Durability::kMemory).ok());
  store().DeletePrefix(Table::kIndex, "");
  for (size_t i = 0; i + 1 < kTableCount; ++i) {
    EXPECT_EQ(ReadOne(store(), static_cast<Table>(i), "key"), std::to_string(i));
  }
  EXPECT_EQ(ReadOne(store(), Table::kIndex, "key"), "(none)");
}

// Walks

TEST_P(RowStoreContract, WalkMergesPendingWithCommitted) {
  PutCommitted({{"a", "1"}, {"c", "1"}, {"e", "1"}, {"g", "1"}});
  store().Put(Table::kRows, "b", "2");
  store().Put(Table::kRows, "c", "2");
  store().Delete(Table::kRows, "e");
  store().Delete(Table::kRows, "f");
  store().Put(Table::kRows, "h", "2");
  const Rows expected = {{"a", "1"}, {"b", "2"}, {"c", "2"}, {"g", "1"}, {"h", "2"}};
  EXPECT_EQ(ReadAll(store(), Table::kRows), expected);
  // A change after the first walk is in the next one.
  store().Put(Table::kRows, "a", "3");
  EXPECT_EQ(ReadAll(store(), Table::kRows, "a"), (Rows{{"a", "3"}}));
  ASSERT_TRUE(store().Commit(Durability::kMemory).ok());
  EXPECT_EQ(ReadAll(store(), Table::kRows).size(), 5u);
}

TEST_P(RowStoreContract, WalkKeepsToItsPrefixAndStartsAtFrom) {
  PutCommitted({{"a", "0"}, {"ab", "1"}, {"ab1", "2"}, {"ac", "3"}});
  store().Put(Table::kRows, "ab0", "4");
  store().Put(Table::kRows, "b", "5");
  EXPECT_EQ(ReadAll(store(), Table::kRows, "ab"), (Rows{{"ab", "1"}, {"ab0", "4"}, {"ab1", "2"}}));
  EXPECT_EQ(ReadAll(store(), Table::kRows, "ab", "ab0"), (Rows{{"ab0", "4"}, {"ab1", "2"}}));
  EXPECT_EQ(ReadAll(store(), Table::kRows, "ab", "ab01"), (Rows{{"ab1", "2"}}));
  EXPECT_EQ(ReadAll(store(), Table::kRows, "ab", "ab2"), Rows{});
  EXPECT_EQ(ReadAll(store(), Table::kRows, "x"), Rows{});
}

TEST_P(RowStoreContract, WalkHandlesPrefixesWithoutAnEnd) {
  PutCommitted({{"\xfe", "1"}, {"\xff", "2"}, {"\xff\xff", "3"}, {"\xff\xff\x01", "4"}});
  EXPECT_EQ(ReadAll(store(), Table::kRows, "\xff\xff"), (Rows{{"\xff\xff", "3"}, {"\xff\xff\x01", "4"}}));
  store().DeletePrefix(Table::kRows, "\xff\xff");
  ASSERT_TRUE(store().Commit(Durability::kMemory).ok());
  EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"\xfe", "1"}, {"\xff", "2"}}));
}

TEST_P(RowStoreContract, WalkOfLongPrefixesFindsWhatIsInFilesAndInMemory) {
  const std::string group = "123456789";  // as long as the prefixes that filters know
  PutCommitted({{group + "a", "1"}, {group + "b", "1"}, {"12345678", "short"}});
  harness_->Restart();
  PutCommitted({{group + "c", "2"}});
  EXPECT_EQ(ReadAll(store(), Table::kRows, group),
            (Rows{{group + "a", "1"}, {group + "b", "1"}, {group + "c", "2"}}));
  EXPECT_EQ(ReadAll(store(), Table::kRows, group + "b"), (Rows{{group + "b", "1"}}));
  EXPECT_EQ(ReadAll(store(), Table::kRows, "123456780"), Rows{});
  EXPECT_EQ(ReadAll(store(), Table::kRows, "12345678").size(), 4u);
}

TEST_P(RowStoreContract, ReadsDoNotDisturbAWalk) {
  PutCommitted({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  store().Put(Table::kRows, "bb", "pending");
  const auto cursor = store().Scan(Table::kRows, "");
  Rows seen;
  for (; cursor->Valid(); cursor->Next()) {
    EXPECT_EQ(ReadOne(store(), Table::kRows, "c"), "3");
    EXPECT_EQ(ReadAll(store(), Table::kRows).size(), 4u);
    seen.emplace_back(cursor->key(), cursor->value());
  }
  EXPECT_EQ(seen, (Rows{{"a", "1"}, {"b", "2"}, {"bb", "pending"}, {"c", "3"}}));
}

// Deleted prefixes

TEST_P(RowStoreContract, DeletePrefixTakesCommittedAndPendingButNotWhatFollows) {
  PutCommitted({{"k", "1"}, {"k1", "1"}, {"k2", "1"}, {"l", "1"}});
  store().Put(Table::kRows, "k3", "2");
  store().DeletePrefix(Table::kRows, "k");
  store().Put(Table::kRows, "k2", "3");
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"k2", "3"}, {"l", "1"}}));
    EXPECT_EQ(ReadOne(store(), Table::kRows, "k1"), "(none)");
    EXPECT_EQ(ReadOne(store(), Table::kRows, "k2"), "3");
    EXPECT_EQ(ReadOne(store(), Table::kRows, "k3"), "(none)");
    ASSERT_TRUE(store().Commit(Durability::kMemory).ok());
  }
}

TEST_P(RowStoreContract, DeletedPrefixesMayLieInsideEachOther) {
  PutCommitted({{"a", "1"}, {"ab", "1"}, {"abc", "1"}, {"b", "1"}});
  store().DeletePrefix(Table::kRows, "ab");
  store().Put(Table::kRows, "abc", "2");
  store().DeletePrefix(Table::kRows, "abc");
  store().Put(Table::kRows, "abx", "3");
  EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"a", "1"}, {"abx", "3"}, {"b", "1"}}));
  store().DeletePrefix(Table::kRows, "a");
  store().Put(Table::kRows, "abcd", "4");
  EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"abcd", "4"}, {"b", "1"}}));
  ASSERT_TRUE(store().Commit(Durability::kMemory).ok());
  EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"abcd", "4"}, {"b", "1"}}));
}

TEST_P(RowStoreContract, DeletePrefixTakesManyRowsAtOnce) {
  Rows rows;
  for (int i = 0; i < 3000; ++i) rows.emplace_back("slot 1, row " + std::to_string(10000 + i), "value");
  rows.emplace_back("slot 2, row 1", "value");
  PutCommitted(rows);
  EXPECT_EQ(ReadOne(store(), Table::kRows, rows[7].first), "value");
  store().DeletePrefix(Table::kRows, "slot 1");
  EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"slot 2, row 1", "value"}}));
  ASSERT_TRUE(store().Commit(Durability::kDisk).ok());
  EXPECT_EQ(ReadOne(store(), Table::kRows, rows[7].first), "(none)");
  harness_->CutPower();
  EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"slot 2, row 1", "value"}}));
}

// Snapshots

TEST_P(RowStoreContract, SnapshotStaysAsItWas) {
  PutCommitted({{"a", "1"}, {"b", "1"}, {"d", "1"}});
  const auto first = store().TakeSnapshot();
  store().Put(Table::kRows, "a", "2");
  store().Delete(Table::kRows, "b");
  store().Put(Table::kRows, "c", "2");
  ASSERT_TRUE(store().Commit(Durability::kDisk).ok());
  const auto second = store().TakeSnapshot();
  harness_->shard(1).DeletePrefix(Table::kRows, "");
  ASSERT_TRUE(harness_->shard(1).Commit(Durability::kDisk).ok());

  EXPECT_EQ(ReadAll(first->Scan(Table::kRows, "")), (Rows{{"a", "1"}, {"b", "1"}, {"d", "1"}}));
  EXPECT_EQ(ReadAll(first->Scan(Table::kRows, "", "b")), (Rows{{"b", "1"}, {"d", "1"}}));
  EXPECT_EQ(*first->Get(Table::kRows, "b"), "1");
  EXPECT_EQ(*first->Get(Table::kRows, "c"), std::nullopt);
  EXPECT_EQ(ReadAll(second->Scan(Table::kRows, "")), (Rows{{"a", "2"}, {"c", "2"}, {"d", "1"}}));
  EXPECT_EQ(ReadAll(harness_->shard(1), Table::kRows), Rows{});
}

TEST_P(RowStoreContract, WalkOfASnapshotGoesOnThroughCommits) {
  PutCommitted({{"a", "1"}, {"b", "1"}, {"c", "1"}});
  const auto snapshot = store().TakeSnapshot();
  const auto cursor = snapshot->Scan(Table::kRows, "");
  for (const char* key : {"a", "b", "c"}) {
    // Neither where it stands nor what lies ahead changes under it.
    PutCommitted({{"a", "2"}, {"b", "2"}, {"bb", "2"}}, Durability::kDisk);
    store().DeletePrefix(Table::kRows, "");
    ASSERT_TRUE(store().Commit(Durability::kDisk).ok());
    ASSERT_TRUE(cursor->Valid());
    EXPECT_EQ(cursor->key(), key);
    EXPECT_EQ(cursor->value(), "1");
    cursor->Next();
  }
  EXPECT_FALSE(cursor->Valid());
  EXPECT_TRUE(cursor->status().ok());
}

// Durability

TEST_P(RowStoreContract, RestartKeepsWhatIsCommitted) {
  PutCommitted({{"a", "1"}});
  store().Put(Table::kRows, "b", "pending");
  harness_->Restart();
  EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"a", "1"}}));
}

TEST_P(RowStoreContract, PowerCutTakesUnsyncedCommitsAndNothingElse) {
  PutCommitted({{"a", "1"}}, Durability::kMemory);
  harness_->shard(1).Put(Table::kRows, "b", "1");
  ASSERT_TRUE(harness_->shard(1).Commit(Durability::kMemory).ok());
  PutCommitted({{"c", "1"}}, Durability::kDisk);  // takes the earlier ones along, the other shard's too
  PutCommitted({{"a", "2"}, {"d", "2"}}, Durability::kMemory);
  harness_->CutPower();
  EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"a", "1"}, {"b", "1"}, {"c", "1"}}));
}

TEST_P(RowStoreContract, CommitOfSeveralTablesIsWholeOrGoneAfterAPowerCut) {
  const auto put_everywhere = [&](const std::string& value) {
    for (size_t i = 0; i < kTableCount; ++i) store().Put(static_cast<Table>(i), "key", value);
  };
  put_everywhere("synced");
  ASSERT_TRUE(store().Commit(Durability::kDisk).ok());
  put_everywhere("not synced");
  ASSERT_TRUE(store().Commit(Durability::kMemory).ok());
  harness_->CutPower();
  for (size_t i = 0; i < kTableCount; ++i)
    EXPECT_EQ(ReadOne(store(), static_cast<Table>(i), "key"), "synced");
}

TEST_P(RowStoreContract, EmptyCommitToDiskSyncsEarlierCommits) {
  EXPECT_TRUE(store().Commit(Durability::kMemory).ok());
  EXPECT_TRUE(store().Commit(Durability::kDisk).ok());
  PutCommitted({{"a", "1"}}, Durability::kMemory);
  ASSERT_TRUE(store().Commit(Durability::kDisk).ok());
  harness_->CutPower();
  EXPECT_EQ(ReadOne(store(), Table::kRows, "a"), "1");
}

TEST_P(RowStoreContract, FinishedSyncSurvivesAPowerCut) {
  PutCommitted({{"a", "1"}}, Durability::kMemory);
  std::vector<std::string> outcomes;
  harness_->SyncSoon(0, [&](const Status& s) { outcomes.push_back(s.ok() ? "first" : s.message()); });
  harness_->SyncSoon(0, [&](const Status& s) { outcomes.push_back(s.ok() ? "second" : s.message()); });
  harness_->FinishSyncs();
  EXPECT_EQ(outcomes, (std::vector<std::string>{"first", "second"}));
  PutCommitted({{"b", "1"}}, Durability::kMemory);
  harness_->CutPower();
  EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"a", "1"}}));
}

TEST_P(RowStoreContract, SyncWithNothingToSyncReports) {
  int reports = 0;
  harness_->SyncSoon(0, [&](const Status& s) { reports += s.ok(); });
  harness_->FinishSyncs();
  EXPECT_EQ(reports, 1);
}

TEST_P(RowStoreContract, SyncNeverReportsToAStoreThatIsGone) {
  PutCommitted({{"a", "1"}}, Durability::kMemory);
  bool reported = false;
  store().SyncSoon([&](const Status&) { reported = true; });
  harness_->Restart();
  EXPECT_FALSE(reported);
  EXPECT_EQ(ReadOne(store(), Table::kRows, "a"), "1");
}

// Failures

TEST_P(RowStoreContract, FailedCommitDropsItsBatchAndRefusesUntilReopen) {
  for (const StatusCode code : {StatusCode::kFull, StatusCode::kIoError}) {
    PutCommitted({{"a", "1"}, {"b", "1"}}, Durability::kDisk);
    EXPECT_EQ(ReadOne(store(), Table::kRows, "a"), "1");
    harness_->BreakDisk(code);
    store().Put(Table::kRows, "a", "lost");
    store().DeletePrefix(Table::kRows, "b");
    EXPECT_EQ(store().Commit(Durability::kDisk).code(), code);
    EXPECT_FALSE(store().HasPending());
    EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"a", "1"}, {"b", "1"}}));
    EXPECT_EQ(ReadOne(store(), Table::kRows, "a"), "1");

    EXPECT_FALSE(harness_->ReopenAll().ok());
    harness_->MendDisk();
    store().Put(Table::kRows, "a", "still refused");
    EXPECT_EQ(store().Commit(Durability::kMemory).code(), code);
    EXPECT_EQ(store().Commit(Durability::kDisk).code(), code);

    ASSERT_TRUE(harness_->ReopenAll().ok());
    EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"a", "1"}, {"b", "1"}}));
    PutCommitted({{"a", "2"}}, Durability::kDisk);
    harness_->CutPower();
    EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"a", "2"}, {"b", "1"}}));
  }
}

TEST_P(RowStoreContract, ReopenWaitsForSnapshotsToGo) {
  PutCommitted({{"a", "1"}}, Durability::kDisk);
  auto snapshot = store().TakeSnapshot();
  harness_->BreakDisk(StatusCode::kFull);
  store().Put(Table::kRows, "b", "1");
  EXPECT_EQ(store().Commit(Durability::kMemory).code(), StatusCode::kFull);
  harness_->MendDisk();
  static_cast<void>(harness_->ReopenAll());
  EXPECT_EQ(ReadAll(snapshot->Scan(Table::kRows, "")), (Rows{{"a", "1"}}));
  snapshot.reset();
  ASSERT_TRUE(harness_->ReopenAll().ok());
  ASSERT_TRUE(store().Reopen().ok());
  PutCommitted({{"c", "1"}}, Durability::kDisk);
  harness_->CutPower();
  EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"a", "1"}, {"c", "1"}}));
}

TEST_P(RowStoreContract, FailedSyncFailsTheStore) {
  PutCommitted({{"a", "1"}}, Durability::kMemory);
  harness_->BreakDisk(StatusCode::kIoError);
  std::vector<StatusCode> outcomes;
  harness_->SyncSoon(0, [&](const Status& s) { outcomes.push_back(s.code()); });
  harness_->FinishSyncs();
  EXPECT_EQ(outcomes, (std::vector<StatusCode>{StatusCode::kIoError}));
  harness_->MendDisk();
  store().Put(Table::kRows, "b", "1");
  EXPECT_EQ(store().Commit(Durability::kMemory).code(), StatusCode::kIoError);
  EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"a", "1"}}));
}

TEST_P(RowStoreContract, SyncThatAReopenOvertakesReportsOnceAndOnlyWhatIsTrue) {
  PutCommitted({{"a", "1"}}, Durability::kMemory);
  std::vector<bool> outcomes;
  harness_->SyncSoon(0, [&](const Status& s) { outcomes.push_back(s.ok()); });
  harness_->BreakDisk(StatusCode::kFull);
  store().Put(Table::kRows, "b", "1");
  EXPECT_EQ(store().Commit(Durability::kMemory).code(), StatusCode::kFull);
  harness_->MendDisk();
  ASSERT_TRUE(harness_->ReopenAll().ok());
  harness_->FinishSyncs();
  ASSERT_EQ(outcomes.size(), 1u);
  harness_->CutPower();
  if (outcomes[0]) {
    EXPECT_EQ(ReadOne(store(), Table::kRows, "a"), "1");
  }
}

TEST_P(RowStoreContract, FailureOfOneShardIsThatOfAll) {
  harness_->shard(1).Put(Table::kRows, "b", "1");
  ASSERT_TRUE(harness_->shard(1).Commit(Durability::kMemory).ok());
  harness_->BreakDisk(StatusCode::kFull);
  store().Put(Table::kRows, "a", "1");
  EXPECT_EQ(store().Commit(Durability::kDisk).code(), StatusCode::kFull);
  std::vector<StatusCode> outcomes;
  harness_->SyncSoon(1, [&](const Status& s) { outcomes.push_back(s.code()); });
  harness_->FinishSyncs();
  EXPECT_EQ(outcomes, (std::vector<StatusCode>{StatusCode::kFull}));
  EXPECT_EQ(harness_->shard(1).Commit(Durability::kMemory).code(), StatusCode::kFull);

  harness_->MendDisk();
  ASSERT_TRUE(harness_->ReopenAll().ok());
  for (size_t i = 0; i < StoreHarness::kShards; ++i) {
    harness_->shard(i).Put(Table::kRows, std::to_string(i), "after");
    ASSERT_TRUE(harness_->shard(i).Commit(Durability::kDisk).ok());
  }
  harness_->CutPower();
  EXPECT_EQ(ReadAll(store(), Table::kRows), (Rows{{"0", "after"}, {"1", "after"}, {"b", "1"}}));
}

}  // namespace
}  // namespace orrery::storage

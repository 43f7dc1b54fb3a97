#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/store_harness.h"
#include "storage/test_random.h"

/// Both stores against std::map: random changes, commits, syncs, snapshots, restarts and power cuts.
namespace orrery::storage {
namespace {

using std::string_literals::operator""s;

// With and without a cache, with and without prefix filters.
constexpr Table kTables[] = {Table::kRows, Table::kSlots, Table::kHints, Table::kIndex};
constexpr size_t kTablesUsed = std::size(kTables);

using TableModel = std::map<std::string, std::string>;
using State = std::array<TableModel, kTablesUsed>;

struct Implementation {
  const char* name;
  std::unique_ptr<StoreHarness> (*make)();
  int steps;
};

class RowStoreModel : public testing::TestWithParam<Implementation> {
 protected:
  static constexpr size_t kShards = StoreHarness::kShards;

  RowStoreModel() : harness_(GetParam().make()), states_(1) {}

  void Step();
  void Change();
  void Compare();
  void Commit();
  void CheckSnapshots();
  void StartAnew(bool cut_power);

  // Keys of a shard start with its number: shards never share keys.
  std::string RandomKey(size_t shard) {
    static const std::string kAlphabet = "ab\0\xff"s;
    const std::string stem = random_.OneIn(2) ? "long stem " : "";  // longer than what prefix filters know
    return std::to_string(shard) + stem + random_.Bytes(4, kAlphabet);
  }
  State ReadState() const;
  static Rows Range(const TableModel& model, const std::string& prefix, const std::string& from);

  std::unique_ptr<StoreHarness> harness_;
  TestRandom random_;
  /// What is committed, and then all that it could be set back to by a power cut: newest last, the synced one
  /// first.
  std::deque<State> states_;
  /// The committed state with the shard's pending changes.
  std::array<State, kShards> seen_;
  std::vector<std::pair<std::unique_ptr<Snapshot>, State>> snapshots_;
};

Rows RowStoreModel::Range(const TableModel& model, const std::string& prefix, const std::string& from) {
  Rows rows;
  for (auto it = model.lower_bound(std::max(prefix, from));
       it != model.end() && it->first.starts_with(prefix); ++it) {
    rows.push_back(*it);
  }
  return rows;
}

State RowStoreModel::ReadState() const {
  State state;
  for (size_t t = 0; t < kTablesUsed; ++t) {
    for (auto& [key, value] : ReadAll(harness_->shard(0), kTables[t])) state[t].emplace(key, value);
  }
  return state;
}

void RowStoreModel::Change() {
  const size_t shard = random_.Below(kShards), t = random_.Below(kTablesUsed);
  RowStore& store = harness_->shard(shard);
  TableModel& model = seen_[shard][t];
  const std::string key = RandomKey(shard);
  if (random_.OneIn(12)) {
    store.DeletePrefix(kTables[t], key);
    std::erase_if(model, [&](const auto& row) { return row.first.starts_with(key); });
  } else if (random_.OneIn(3)) {
    store.Delete(kTables[t], key);
    model.erase(key);
  } else {
    const std::string value(random_.Below(40), static_cast<char>('a' + random_.Below(26)));
    store.Put(kTables[t], key, value);
    model[key] = value;
  }
}

void RowStoreModel::Compare() {
  const size_t shard = random_.Below(kShards), t = random_.Below(kTablesUsed);
  const RowStore& store = harness_->shard(shard);
  const TableModel& model = seen_[shard][t];
  const std::string key = RandomKey(shard);
  const auto expected = model.find(key);
  ASSERT_EQ(ReadOne(store, kTables[t], key), expected == model.end() ? "(none)" : expected->second);
  const std::string prefix = key.substr(0, 1 + random_.Below(key.size()));
  const std::string from = random_.OneIn(2) ? prefix + random_.Bytes(3, "ab\xff") : "";
  ASSERT_EQ(ReadAll(store, kTables[t], prefix, from), Range(model, prefix, from));
}

void RowStoreModel::Commit() {
  const size_t shard = random_.Below(kShards);
  const Durability durability = random_.OneIn(4) ? Durability::kDisk : Durability::kMemory;
  ASSERT_TRUE(harness_->shard(shard).Commit(durability).ok());
  State committed = states_.back();
  const std::string own = std::to_string(shard), other = std::to_string(1 - shard);
  for (size_t t = 0; t < kTablesUsed; ++t) {
    for (TableModel* model : {&committed[t], &seen_[1 - shard][t]}) {
      std::erase_if(*model, [&](const auto& row) { return row.first.starts_with(own); });
      for (const auto& row : Range(seen_[shard][t], own, "")) model->insert(row);
    }
  }
  const bool wrote = committed != states_.back();
  states_.push_back(committed);
  if (durability == Durability::kMemory) return;
  // What is written and synced brings everything before it to the disk. Without anything to write, a store
  // answers for its own commits alone.
  const auto lacks_own = [&](const State& state) {
    for (size_t t = 0; t < kTablesUsed; ++t) {
      if (Range(state[t], own, "") != Range(committed[t], own, "")) return true;
    }
    return false;
  };
  while (states_.size() > 1 && (wrote || lacks_own(states_.front()))) states_.pop_front();
}

void RowStoreModel::CheckSnapshots() {
  for (const auto& [snapshot, state] : snapshots_) {
    for (size_t t = 0; t < kTablesUsed; ++t) {
      ASSERT_EQ(ReadAll(snapshot->Scan(kTables[t], "")), Range(state[t], "", ""));
    }
  }
  if (snapshots_.size() > 3) snapshots_.erase(snapshots_.begin() + static_cast<long>(random_.Below(3)));
}

void RowStoreModel::StartAnew(bool cut_power) {
  snapshots_.clear();
  if (cut_power) {
    harness_->CutPower();
  } else {
    harness_->Restart();
  }
  const State found = ReadState();
  if (!cut_power) {
    ASSERT_EQ(found, states_.back());
  }
  const auto it = std::find(states_.begin(), states_.end(), found);
  ASSERT_NE(it, states_.end()) << "neither the synced state nor any later one";
  if (cut_power) {
    states_ = {found};
  }
  seen_.fill(found);
}

void RowStoreModel::Step() {
  const uint64_t dice = random_.Below(1000);
  if (dice < 600) {
    Change();
  } else if (dice < 850) {
    Compare();
  } else if (dice < 950) {
    Commit();
  } else if (dice < 965) {
    const size_t shard = random_.Below(kShards);
    if (!harness_->shard(shard).HasPending()) {
      snapshots_.emplace_back(harness_->shard(shard).TakeSnapshot(), states_.back());
    }
  } else if (dice < 985) {
    CheckSnapshots();
  } else if (dice < 993) {
    Status outcome = Status::Timeout("no report");
    harness_->SyncSoon(random_.Below(kShards), [&](Status reported) { outcome = std::move(reported); });
    harness_->FinishSyncs();
    ASSERT_TRUE(outcome.ok()) << outcome.message();
  } else {
    StartAnew(/*cut_power=*/random_.OneIn(2));
  }
}

TEST_P(RowStoreModel, BehavesAsAMapThatCanLoseWhatIsNotSynced) {
  for (int i = 0; i < GetParam().steps && !HasFatalFailure(); ++i) {
    SCOPED_TRACE(testing::Message() << "step " << i);
    Step();
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, RowStoreModel,
                         testing::Values(Implementation{"Memory", MakeMemoryHarness, 30000},
                                         Implementation{"RocksDb", MakeRocksHarness, 2500}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace orrery::storage

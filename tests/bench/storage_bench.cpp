#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "orrery/base/check.h"
#include "orrery/storage/rocksdb_row_store.h"
#include "orrery/storage/row_key.h"

/// What a loop pays for its rows: reads, and group commits of 1 and 16 rows of about 100 bytes.
namespace orrery::storage {
namespace {

constexpr size_t kValueBytes = 100;
constexpr uint64_t kKeys = 100000;

/// A database of kKeys rows in table files, and what each thread's store and keys are made from.
class Fixture {
 public:
  Fixture() : path_((std::filesystem::temp_directory_path() / Name()).string()) {
    RocksOptions options;
    options.path = path_;
    auto opened = RocksDatabase::Open(options);
    ORRERY_CHECK(opened.ok());
    database_ = std::move(*opened);
    const auto store = database_->OpenShard({.row_cache_bytes = 0, .post = nullptr});
    for (uint64_t i = 0; i < kKeys; ++i) store->Put(Table::kRows, Key(i), std::string(kValueBytes, 'v'));
    ORRERY_CHECK(store->Commit(Durability::kMemory).ok());
    ORRERY_CHECK(database_->Flush().ok());
  }
  ~Fixture() {
    database_.reset();
    std::filesystem::remove_all(path_);
  }

  static std::string Key(uint64_t i) {
    const std::string key = "key:" + std::to_string(i);
    return EncodeRowKey(SlotOf(key), {0, key, RowTag::kString, {}});
  }
  std::unique_ptr<RowStore> OpenShard(size_t cache_bytes) {
    return database_->OpenShard({.row_cache_bytes = cache_bytes, .post = nullptr});
  }

 private:
  static std::string Name() { return "orrery-storage-bench-" + std::to_string(getpid()); }

  const std::string path_;
  std::unique_ptr<RocksDatabase> database_;
};

/// One database for all threads of a benchmark, set up and torn down outside the measured time.
std::unique_ptr<Fixture> shared;
void SetUp(const benchmark::State&) {
  shared = std::make_unique<Fixture>();
}
void TearDown(const benchmark::State&) {
  shared.reset();
}

std::vector<std::string> Keys(uint64_t first, uint64_t count) {
  std::vector<std::string> keys;
  for (uint64_t i = 0; i < count; ++i) keys.push_back(Fixture::Key((first + i * 7919) % kKeys));
  return keys;
}

/// Reads from among so many hot rows, with a row cache of so many bytes.
void BM_Read(benchmark::State& state) {
  const auto keys = Keys(0, static_cast<uint64_t>(state.range(0)));
  const auto store = shared->OpenShard(static_cast<size_t>(state.range(1)));
  for (const std::string& key : keys) benchmark::DoNotOptimize(store->View(Table::kRows, key).ok());
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(store->View(Table::kRows, keys[i]).ok());
    if (++i == keys.size()) i = 0;
  }
}
BENCHMARK(BM_Read)
    ->ArgNames({"rows", "cache"})
    ->Args({1000, 64 << 20})
    ->Args({50000, 64 << 20})
    ->Args({1000, 0})
    ->Args({50000, 0})
    ->Setup(SetUp)
    ->Teardown(TearDown);

void BM_ReadAbsent(benchmark::State& state) {
  const auto store = shared->OpenShard(0);
  std::vector<std::string> keys;
  for (uint64_t i = 0; i < 10000; ++i) keys.push_back(Fixture::Key(kKeys + i));
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(store->View(Table::kRows, keys[i]).ok());
    if (++i == keys.size()) i = 0;
  }
}
BENCHMARK(BM_ReadAbsent)->Setup(SetUp)->Teardown(TearDown);

/// All rows of one key, as finding a key's type does. present: whether it has any.
void BM_WalkOfAKey(benchmark::State& state) {
  const auto store = shared->OpenShard(0);
  std::vector<std::string> prefixes;
  for (uint64_t i = 0; i < 10000; ++i) {
    const std::string key = "key:" + std::to_string(state.range(0) != 0 ? i : kKeys + i);
    prefixes.push_back(WithSlot(SlotOf(key), KeyPrefix(0, key)));
  }
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(store->Scan(Table::kRows, prefixes[i])->Valid());
    if (++i == prefixes.size()) i = 0;
  }
}
BENCHMARK(BM_WalkOfAKey)->ArgNames({"present"})->Arg(1)->Arg(0)->Setup(SetUp)->Teardown(TearDown);

/// A turn of the loop: each row is read, then written; one commit. Two threads are two shards over one
/// database.
void CommitTurns(benchmark::State& state, Durability durability) {
  const auto rows_per_commit = static_cast<size_t>(state.range(0));
  const auto first = static_cast<uint64_t>(state.thread_index()) * 31;
  const auto keys = Keys(first, 20000);
  const auto store = shared->OpenShard(64 << 20);
  const std::string value(kValueBytes, 'w');
  size_t i = 0;
  for (auto _ : state) {
    for (size_t n = 0; n < rows_per_commit; ++n) {
      benchmark::DoNotOptimize(store->View(Table::kRows, keys[i]).ok());
      store->Put(Table::kRows, keys[i], value);
      if (++i == keys.size()) i = 0;
    }
    ORRERY_CHECK(store->Commit(durability).ok());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(rows_per_commit));
}
void BM_CommitToMemory(benchmark::State& state) {
  CommitTurns(state, Durability::kMemory);
}
void BM_CommitToDisk(benchmark::State& state) {
  CommitTurns(state, Durability::kDisk);
}
BENCHMARK(BM_CommitToMemory)
    ->ArgNames({"rows"})
    ->Arg(1)
    ->Arg(16)
    ->ThreadRange(1, 2)
    ->UseRealTime()
    ->Setup(SetUp)
    ->Teardown(TearDown);
BENCHMARK(BM_CommitToDisk)
    ->ArgNames({"rows"})
    ->Arg(1)
    ->Arg(16)
    ->ThreadRange(1, 2)
    ->UseRealTime()
    ->Setup(SetUp)
    ->Teardown(TearDown);

}  // namespace
}  // namespace orrery::storage

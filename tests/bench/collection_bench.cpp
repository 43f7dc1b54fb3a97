// What a command costs by the size of the collection: request to committed event, on one replica of one slot
// over RocksDB, a commit for each command. Names end in the number of elements.

#include <benchmark/benchmark.h>

#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "orrery/base/check.h"
#include "orrery/causality/event.h"
#include "orrery/commands/executor.h"
#include "orrery/replication/slot_replica.h"
#include "orrery/storage/rocksdb_row_store.h"
#include "orrery/types/derived_index.h"

namespace orrery::commands {
namespace {

using Words = std::vector<std::string>;

constexpr causality::Actor kActor{NodeId{1}, 1};
constexpr SlotId kSlot = 7;
constexpr int64_t kFillAtOnce = 500;

/// One node's store, and one slot in it.
class Slot {
 public:
  Slot() {
    storage::RocksOptions options;
    options.path = path_;
    auto opened = storage::RocksDatabase::Open(options);
    ORRERY_CHECK(opened.ok());
    database_ = std::move(*opened);
    store_ = database_->OpenShard();
    replica_ = std::make_unique<replication::SlotReplica>(kSlot, store_.get(), &index_);
  }
  ~Slot() {
    replica_.reset();
    store_.reset();
    database_.reset();
    std::filesystem::remove_all(path_);
  }

  /// As a coordinator does it.
  void Run(const Words& words) {
    replication::Request request;
    for (const std::string& word : words) request.args.Append(word);
    const causality::Dot dot{kActor, replica_->clock().Get(kActor) + 1};
    storage::Transaction transaction(*store_, {kSlot, &replica_->clock(), dot, dot.counter, 1'700'000'000'000,
                                               0, replica_->collection_rows() > 0});
    reply_.clear();
    executor_.Execute(request, &transaction, &reply_);
    ORRERY_CHECK(transaction.status().ok() && !reply_.starts_with('-'));
    if (transaction.changed()) Apply(&transaction);
  }

 private:
  void Apply(storage::Transaction* transaction) {
    std::vector<storage::RowUpdate> rows;
    const causality::Event event = transaction->TakeEvent(&rows);
    const causality::EventPtr encoded = causality::MakeEventPtr(event);
    const Status applied =
        event.scopes.empty() ? replica_->ApplyOwn(event, rows, encoded) : replica_->Apply(event, encoded);
    ORRERY_CHECK(applied.ok());
    ORRERY_CHECK(store_->Commit(storage::Durability::kMemory).ok());
  }

  const std::string path_ = (std::filesystem::temp_directory_path() /
                             ("collection_bench_" + std::to_string(std::random_device()())))
                                .string();
  std::unique_ptr<storage::RocksDatabase> database_;
  std::unique_ptr<storage::RowStore> store_;
  types::DerivedIndex index_;
  std::unique_ptr<replication::SlotReplica> replica_;
  Executor executor_;
  std::string reply_;
};

/// What adds elements of a type, given the number of one.
struct Type {
  std::string_view add;
  void (*append)(std::string element, Words* words);
};
constexpr Type kHash{"HSET", [](std::string element, Words* words) {
                       words->push_back(std::move(element));
                       words->push_back("value");
                     }};
constexpr Type kSet{"SADD", [](std::string element, Words* words) { words->push_back(std::move(element)); }};
constexpr Type kZset{"ZADD", [](std::string element, Words* words) {
                       words->push_back(element.substr(1));
                       words->push_back(std::move(element));
                     }};
constexpr Type kList{"RPUSH", kSet.append};

std::string Element(int64_t number) {
  return "e" + std::to_string(number);
}

void Fill(Slot* slot, const Type& type, const std::string& key, int64_t size) {
  for (int64_t from = 0; from < size; from += kFillAtOnce) {
    Words words = {std::string(type.add), key};
    for (int64_t i = from; i < std::min(size, from + kFillAtOnce); ++i) type.append(Element(i), &words);
    slot->Run(words);
  }
}

/// A collection of that size, filled once for all benchmarks that keep its size.
Slot& Filled(const Type& type, int64_t size) {
  // What RocksDB makes at its first use must outlive the slots.
  static const bool rocksdb_is_there = (Slot(), true);
  benchmark::DoNotOptimize(rocksdb_is_there);
  static std::map<std::pair<std::string_view, int64_t>, std::unique_ptr<Slot>> slots;
  std::unique_ptr<Slot>& slot = slots[{type.add, size}];
  if (slot == nullptr) {
    slot = std::make_unique<Slot>();
    Fill(slot.get(), type, "key", size);
  }
  return *slot;
}

using Choose = Words (*)(const std::string& element, int64_t number);

void RunOn(benchmark::State& state, const Type& type, Choose choose) {
  Slot& slot = Filled(type, state.range(0));
  std::mt19937_64 random(1);
  for (auto _ : state) {
    const auto number = static_cast<int64_t>(random() % static_cast<uint64_t>(state.range(0)));
    slot.Run(choose(Element(number), number));
  }
}

void Push(benchmark::State& state) {
  Slot& slot = Filled(kList, state.range(0));
  for (auto _ : state) {
    slot.Run({"LPUSH", "key", "pushed"});
    slot.Run({"RPOP", "key"});
  }
}

void Delete(benchmark::State& state, const Type& type) {
  Slot slot;
  for (auto _ : state) {
    state.PauseTiming();
    Fill(&slot, type, "doomed", state.range(0));
    state.ResumeTiming();
    slot.Run({"DEL", "doomed"});
  }
}

void Register(const char* name, const Type& type, Choose choose) {
  benchmark::RegisterBenchmark(name, [&type, choose](benchmark::State& state) { RunOn(state, type, choose); })
      ->Arg(10)
      ->Arg(10'000)
      ->Arg(1'000'000)
      ->Unit(benchmark::kMicrosecond);
}

void RegisterDelete(const char* name, const Type& type) {
  for (const int64_t size : {10, 10'000, 1'000'000}) {
    benchmark::RegisterBenchmark(name, [&type](benchmark::State& state) { Delete(state, type); })
        ->Arg(size)
        ->Iterations(size == 10       ? 1000
                     : size == 10'000 ? 20
                                      : 1)
        ->Unit(benchmark::kMicrosecond);
  }
}

const bool registered = [] {
  Register("HSET", kHash, [](const std::string& e, int64_t) { return Words{"HSET", "key", e, "other"}; });
  Register("HGET", kHash, [](const std::string& e, int64_t) { return Words{"HGET", "key", e}; });
  Register("HLEN", kHash, [](const std::string&, int64_t) { return Words{"HLEN", "key"}; });
  Register("SADD", kSet, [](const std::string& e, int64_t) { return Words{"SADD", "key", e}; });
  Register("SISMEMBER", kSet, [](const std::string& e, int64_t) { return Words{"SISMEMBER", "key", e}; });
  Register("SCARD", kSet, [](const std::string&, int64_t) { return Words{"SCARD", "key"}; });
  Register("ZADD", kZset, [](const std::string& e, int64_t n) {
    return Words{"ZADD", "key", std::to_string(n * 7 % 1'000'003), e};
  });
  Register("ZSCORE", kZset, [](const std::string& e, int64_t) { return Words{"ZSCORE", "key", e}; });
  Register("ZRANK", kZset, [](const std::string& e, int64_t) { return Words{"ZRANK", "key", e}; });
  Register("ZCARD", kZset, [](const std::string&, int64_t) { return Words{"ZCARD", "key"}; });
  benchmark::RegisterBenchmark("LPUSH_RPOP", Push)
      ->Arg(10)
      ->Arg(10'000)
      ->Arg(1'000'000)
      ->Unit(benchmark::kMicrosecond);
  Register("LINDEX", kList, [](const std::string&, int64_t n) {
    return Words{"LINDEX", "key", std::to_string(n)};
  });
  Register("LLEN", kList, [](const std::string&, int64_t) { return Words{"LLEN", "key"}; });
  RegisterDelete("DEL_hash", kHash);
  RegisterDelete("DEL_set", kSet);
  RegisterDelete("DEL_zset", kZset);
  RegisterDelete("DEL_list", kList);
  return true;
}();

}  // namespace
}  // namespace orrery::commands

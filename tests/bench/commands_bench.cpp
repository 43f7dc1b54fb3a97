// The hot single-slot commands between request and event: finding the handler, reading the row, writing reply
// and event.

#include <benchmark/benchmark.h>

#include "orrery/base/check.h"
#include "orrery/causality/event.h"
#include "orrery/commands/executor.h"
#include "orrery/storage/memory_row_store.h"
#include "orrery/storage/row_key.h"

namespace orrery::commands {
namespace {

constexpr size_t kKeys = 1000;
constexpr causality::Actor kActor{NodeId{1}, 1};

std::string KeyName(size_t i) {
  return "key:" + std::to_string(100'000'000 + i);
}

/// One slot whose clock covers what it holds, with a value under every key.
class Slot {
 public:
  explicit Slot(std::string_view value) : store_(database_.OpenShard()) {
    clock_.Advance({kActor, 1});
    for (size_t i = 0; i < kKeys; ++i) {
      causality::Row row;
      row.Upsert({causality::CellKind::kValue, {kActor, 1}, 1, 1, std::string(value), {}});
      const std::string row_key = storage::EncodeRowKey({0, KeyName(i), storage::RowTag::kString, {}});
      store_->Put(storage::Table::kRows, storage::WithSlot(0, row_key), causality::EncodeRow(row));
    }
    ORRERY_CHECK(store_->Commit(storage::Durability::kMemory).ok());
  }

  void Run(benchmark::State& state, const std::vector<replication::Request>& requests) {
    Executor executor;
    std::string reply;
    size_t i = 0;
    for (auto _ : state) {
      storage::Transaction transaction(*store_, {0, &clock_, {kActor, 2}, 2, 1'700'000'000'000, 0});
      reply.clear();
      executor.Execute(requests[i++ % kKeys], &transaction, &reply);
      if (transaction.changed()) benchmark::DoNotOptimize(causality::MakeEventPtr(transaction.TakeEvent()));
      benchmark::DoNotOptimize(reply);
    }
    state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
  }

 private:
  storage::MemoryDatabase database_;
  std::unique_ptr<storage::RowStore> store_;
  causality::SlotClock clock_;
};

std::vector<replication::Request> Requests(const std::vector<std::string_view>& words) {
  std::vector<replication::Request> requests(kKeys);
  for (size_t i = 0; i < kKeys; ++i) {
    requests[i].args.Append(words[0]);
    requests[i].args.Append(KeyName(i));
    for (size_t word = 1; word < words.size(); ++word) requests[i].args.Append(words[word]);
  }
  return requests;
}

void Get(benchmark::State& state) {
  Slot("xxx").Run(state, Requests({"GET"}));
}
void GetLarge(benchmark::State& state) {
  Slot(std::string(4096, 'x')).Run(state, Requests({"GET"}));
}
void Set(benchmark::State& state) {
  Slot("xxx").Run(state, Requests({"SET", "yyy"}));
}
void SetWithEnd(benchmark::State& state) {
  Slot("xxx").Run(state, Requests({"SET", "yyy", "EX", "100"}));
}
void Incr(benchmark::State& state) {
  Slot("41").Run(state, Requests({"INCR"}));
}
void Exists(benchmark::State& state) {
  Slot("xxx").Run(state, Requests({"EXISTS"}));
}

BENCHMARK(Get);
BENCHMARK(GetLarge);
BENCHMARK(Set);
BENCHMARK(SetWithEnd);
BENCHMARK(Incr);
BENCHMARK(Exists);

}  // namespace
}  // namespace orrery::commands

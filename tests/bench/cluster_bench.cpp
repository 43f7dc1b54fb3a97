// What a client's command costs all nodes together, between its parsed words and its reply: entry node,
// coordinator, replicas over RocksDB and their messages, without sockets and in one thread, so that processor
// time and instructions can be compared (docs/performance.md). at_once: so many commands arrive in a turn.
// With 100,000 keys the caches are as cold as tests/bench/compare makes them; 5,000 are enough to count
// instructions.

#include <benchmark/benchmark.h>

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "orrery/base/check.h"
#include "orrery/commands/command_table.h"
#include "orrery/commands/dispatcher.h"
#include "orrery/commands/executor.h"
#include "orrery/replication/shard.h"
#include "orrery/storage/rocksdb_row_store.h"
#include "orrery/types/derived_index.h"

namespace orrery::commands {
namespace {

constexpr size_t kFillAtOnce = 500;
constexpr size_t kKeysOfMset = 10;

/// Stands still but once, so that no timer comes between.
class StillClock final : public runtime::Clock, public runtime::Timers {
 public:
  uint64_t WallMs() const override { return 1'700'000'000'000; }
  uint64_t MonotonicUs() const override { return now_us_; }
  runtime::TimerId After(uint64_t /*delay_us*/, std::function<void()> /*callback*/) override {
    return ++last_;
  }
  void Cancel(runtime::TimerId /*id*/) override {}
  void PassStart() { now_us_ += 10'000'000; }

 private:
  uint64_t now_us_ = 1'000'000;
  runtime::TimerId last_ = 0;
};

/// What nobody asks of a node here.
class NoClusterAccess final : public ClusterAccess {
 public:
  void SurveyKeys(const SurveyQuery& /*query*/, std::function<void(const KeySurvey&)> /*done*/) override {}
  void Post(std::function<void()> /*task*/) override {}
  uint64_t StartTimer(uint64_t /*ms*/, std::function<void()> /*task*/) override { return 1; }
  void StopTimer(uint64_t /*id*/) override {}
  uint64_t WallMs() override { return 0; }
};

struct Frame {
  NodeId from;
  std::string bytes;
};

class Node final : private runtime::Transport {
 public:
  Node(NodeId id, replication::ClusterViewPtr view, const std::string& path, std::map<NodeId, Node*>* nodes)
      : id_(id), random_(id.value), nodes_(*nodes) {
    storage::RocksOptions options;
    options.path = path;
    auto database = storage::RocksDatabase::Open(options);
    ORRERY_CHECK(database.ok());
    database_ = std::move(*database);
    store_ = database_->OpenShard();
    replication::Shard::Parts parts;
    parts.clock = &clock_;
    parts.timers = &clock_;
    parts.random = &random_;
    parts.transport = this;
    parts.store = store_.get();
    parts.observer = &index_;
    parts.executor = &executor_;
    auto shard = replication::Shard::Open({}, parts, {id, 1}, std::move(view));
    ORRERY_CHECK(shard.ok());
    shard_ = std::move(*shard);
    dispatcher_ = std::make_unique<Dispatcher>(&shard_->router(), &cluster_, 1);
    nodes_[id] = this;
  }
  ~Node() override {
    dispatcher_.reset();
    shard_.reset();
    store_.reset();
  }

  replication::Shard& shard() { return *shard_; }
  StillClock& clock() { return clock_; }
  Dispatcher& dispatcher() { return *dispatcher_; }

  /// One turn, with all that has arrived; whether anything had.
  bool Turn() {
    const auto frames = std::exchange(arrived_, {});
    for (const Frame& frame : frames) shard_->OnFrame(frame.from, frame.bytes);
    shard_->EndTurn();
    return !frames.empty();
  }

 private:
  void Send(NodeId peer, std::string frame) override {
    nodes_.at(peer)->arrived_.push_back({id_, std::move(frame)});
  }

  const NodeId id_;
  StillClock clock_;
  runtime::SeededRandom random_;
  std::map<NodeId, Node*>& nodes_;
  std::deque<Frame> arrived_;
  NoClusterAccess cluster_;
  types::DerivedIndex index_;
  Executor executor_;
  std::unique_ptr<storage::RocksDatabase> database_;
  std::unique_ptr<storage::RowStore> store_;
  std::unique_ptr<replication::Shard> shard_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

/// N = all nodes, but at most three; R = W = 2, as far as there are so many.
class Cluster {
 public:
  explicit Cluster(uint64_t size) {
    std::vector<ring::RingMember> members;
    for (uint64_t i = 1; i <= size; ++i) members.emplace_back().id = NodeId{i};
    const auto ring = std::make_shared<const ring::Ring>(ring::Ring::Build(members, 3));
    for (uint64_t i = 1; i <= size; ++i) {
      auto view = std::make_shared<replication::ClusterView>();
      view->self = NodeId{i};
      view->ring = ring;
      for (const auto& member : members) {
        view->members.emplace_back().id = member.id;
        view->alive.insert(member.id);
      }
      owned_.push_back(std::make_unique<Node>(NodeId{i}, view, path_ + "/" + std::to_string(i), &nodes_));
    }
    for (const auto& [id, node] : nodes_) {
      for (const auto& [peer, other] : nodes_) {
        if (peer != id) node->shard().OnPeerUp(peer, 1);
      }
    }
    for (const auto& node : owned_) node->clock().PassStart();
    Settle();
  }
  ~Cluster() {
    owned_.clear();
    std::filesystem::remove_all(path_);
  }

  /// Through the first node, as if all had arrived in one turn.
  void Run(const CommandSpec& spec, const std::vector<std::vector<std::string_view>>& commands) {
    size_t answered = 0;
    for (const auto& words : commands) {
      owned_.front()->dispatcher().Dispatch(spec, {}, words, [&answered](const std::string& reply) {
        ORRERY_CHECK(!reply.empty() && reply.front() != '-');
        ++answered;
      });
    }
    Settle();
    ORRERY_CHECK(answered == commands.size());
  }
  /// Run, by a name that a profiler can begin and end at.
  [[gnu::noinline]] void Measure(const CommandSpec& spec,
                                 const std::vector<std::vector<std::string_view>>& commands) {
    Run(spec, commands);
  }

 private:
  void Settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (const auto& node : owned_) busy = node->Turn() || busy;
    }
  }

  const std::string path_ =
      (std::filesystem::temp_directory_path() / ("cluster_bench_" + std::to_string(std::random_device()())))
          .string();
  std::map<NodeId, Node*> nodes_;
  std::vector<std::unique_ptr<Node>> owned_;
};

std::string KeyName(uint64_t number) {
  const std::string digits = std::to_string(number);
  return "key:" + std::string(12 - digits.size(), '0') + digits;
}

using Command = std::vector<std::string_view>;
using Choose = Command (*)(const std::vector<std::string>& keys, std::mt19937_64& random);

std::string_view AnyKey(const std::vector<std::string>& keys, std::mt19937_64& random) {
  return keys[random() % keys.size()];
}

/// What a benchmark runs on; kept from one call to the next, since filling it takes long.
struct Filled {
  std::vector<std::string> keys;
  Cluster cluster;

  Filled(uint64_t nodes, uint64_t key_count) : cluster(nodes) {
    for (uint64_t i = 0; i < key_count; ++i) keys.push_back(KeyName(i));
    ForAll("set", {"1"});
    // Twice, so that each slot may join its turn's question to another node.
    ForAll("get", {});
    ForAll("get", {});
  }

  void ForAll(std::string_view name, const Command& rest) {
    const CommandSpec& spec = *CommandTable::Get().Find(name);
    std::vector<Command> commands;
    for (const std::string& key : keys) {
      Command& command = commands.emplace_back(Command{name, key});
      command.insert(command.end(), rest.begin(), rest.end());
      if (commands.size() < kFillAtOnce && &key != &keys.back()) continue;
      cluster.Run(spec, commands);
      commands.clear();
    }
  }
};

// Of the shape that is measured; gone before the program ends, as RocksDB needs its own globals to close.
std::unique_ptr<Filled> filled_cluster;

Filled& FilledCluster(uint64_t nodes, uint64_t key_count) {
  if (filled_cluster == nullptr) filled_cluster = std::make_unique<Filled>(nodes, key_count);
  return *filled_cluster;
}

void Run(benchmark::State& state, Choose choose) {
  Filled& filled =
      FilledCluster(static_cast<uint64_t>(state.range(0)), static_cast<uint64_t>(state.range(2)));
  std::mt19937_64 random(1);
  std::vector<Command> commands(static_cast<size_t>(state.range(1)));
  for (auto _ : state) {
    for (Command& command : commands) command = choose(filled.keys, random);
    filled.cluster.Measure(*CommandTable::Get().Find(commands.front().front()), commands);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(commands.size()));
}

Command Set(const std::vector<std::string>& keys, std::mt19937_64& random) {
  return {"SET", AnyKey(keys, random), "xxx"};
}
Command Get(const std::vector<std::string>& keys, std::mt19937_64& random) {
  return {"GET", AnyKey(keys, random)};
}
Command Incr(const std::vector<std::string>& keys, std::mt19937_64& random) {
  return {"INCR", AnyKey(keys, random)};
}
Command Mset(const std::vector<std::string>& keys, std::mt19937_64& random) {
  Command command = {"MSET"};
  for (size_t i = 0; i < kKeysOfMset; ++i) {
    command.push_back(AnyKey(keys, random));
    command.push_back("xxx");
  }
  return command;
}

void Shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"nodes", "at_once", "keys"});
  benchmark->Teardown([](const benchmark::State&) { filled_cluster.reset(); });
  for (const int nodes : {1, 3}) {
    for (const int at_once : {50, 800}) {
      for (const int keys : {5'000, 100'000}) benchmark->Args({nodes, at_once, keys});
    }
  }
}
BENCHMARK_CAPTURE(Run, set, Set)->Apply(Shapes);
BENCHMARK_CAPTURE(Run, get, Get)->Apply(Shapes);
BENCHMARK_CAPTURE(Run, incr, Incr)->Apply(Shapes);
BENCHMARK_CAPTURE(Run, mset, Mset)->Apply(Shapes);

}  // namespace
}  // namespace orrery::commands

#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orrery/base/numbers.h"
#include "orrery/runtime/uv/loop.h"
#include "orrery/server/command_runner.h"
#include "orrery/server/node_access.h"

namespace orrery::server {

/// Keys in memory for all loops of a test's server, and a hand on when commands are answered.
class FakeKeys {
 public:
  std::string Execute(std::span<const std::string> args) {
    const std::lock_guard lock(mutex_);
    const std::string name = Lower(args[0]);
    if (name == "set") {
      values_[args[1]] = args[2];
      return "+OK\r\n";
    }
    if (name == "get") return Get(args[1]);
    if (name == "incr") return Increment(args[1]);
    if (name == "del") return ":" + std::to_string(values_.erase(args[1])) + "\r\n";
    if (name == "dbsize") return ":" + std::to_string(values_.size()) + "\r\n";
    return "-ERR the fake does not know '" + name + "'\r\n";
  }

 private:
  static std::string Lower(std::string text) {
    for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    return text;
  }
  std::string Get(const std::string& key) {
    const auto found = values_.find(key);
    if (found == values_.end()) return "$-1\r\n";
    return "$" + std::to_string(found->second.size()) + "\r\n" + found->second + "\r\n";
  }
  std::string Increment(const std::string& key) {
    std::string& value = values_[key];
    const auto number = value.empty() ? std::optional<int64_t>(0) : ParseInteger(value);
    if (!number) return "-ERR value is not an integer or out of range\r\n";
    value = std::to_string(*number + 1);
    return ":" + value + "\r\n";
  }

  std::mutex mutex_;
  std::map<std::string, std::string> values_;
};

/// Answers in the next turn, or, while held, when the test says so, in the order that it says.
class FakeRunner final : public CommandRunner {
 public:
  FakeRunner(runtime::UvLoop* loop, FakeKeys* keys) : loop_(loop), keys_(keys) {}

  void Run(const commands::CommandSpec& command, std::span<const std::string_view> args, const Caller& caller,
           Done done) override {
    ++started;
    last_caller = caller;
    max_waiting = std::max<size_t>(max_waiting, ++waiting);
    std::vector<std::string> words(args.begin(), args.end());
    Task task = [this, words = std::move(words), done = std::move(done)] {
      --waiting;
      done(keys_->Execute(words));
    };
    if (held.contains(std::string(command.name))) {
      held_tasks.push_back(std::move(task));
    } else {
      loop_->Post(std::move(task));
    }
  }

  /// On the loop: answers what was held, last one first if `backwards`.
  void Release(bool backwards) {
    held.clear();
    std::deque<Task> tasks = std::exchange(held_tasks, {});
    while (!tasks.empty()) {
      Task task = std::move(backwards ? tasks.back() : tasks.front());
      backwards ? tasks.pop_back() : tasks.pop_front();
      task();
    }
  }

  using Task = std::function<void()>;
  std::set<std::string> held;  ///< names of commands that wait for Release; loop's thread
  std::deque<Task> held_tasks;
  Caller last_caller;
  std::atomic<size_t> started{0};
  std::atomic<size_t> waiting{0};
  std::atomic<size_t> max_waiting{0};

 private:
  runtime::UvLoop* loop_;
  FakeKeys* keys_;
};

/// Three members, one of them this node; alive as the test says.
class FakeNode final : public NodeAccess {
 public:
  static constexpr NodeId kSelf{1};

  explicit FakeNode(runtime::UvLoop* loop, std::set<NodeId> alive = {NodeId{1}, NodeId{2}, NodeId{3}})
      : loop_(loop) {
    auto view = std::make_shared<replication::ClusterView>();
    view->self = kSelf;
    std::vector<ring::RingMember> ring_members;
    for (uint64_t i = 1; i <= 3; ++i) {
      membership::Member member;
      member.id = NodeId{i};
      member.host = "127.0.0.1";
      member.client_port = static_cast<uint16_t>(7000 + i);
      member.peer_port = static_cast<uint16_t>(17000 + i);
      member.version = 10 + i;
      view->members.push_back(member);
      ring_members.push_back({member.id, 1, "", 0});
    }
    view->ring = std::make_shared<ring::Ring>(ring::Ring::Build(ring_members, 3));
    view->alive = std::move(alive);
    view_ = view;
  }

  /// Before anything is asked: the observer says that the node is down.
  void FindDown(NodeId observer, NodeId node) {
    auto view = std::make_shared<replication::ClusterView>(*view_);
    view->found_down[node].insert(observer);
    view_ = view;
  }

  replication::ClusterViewPtr View() const override { return view_; }
  uint64_t Incarnation() const override { return 42; }
  std::span<const NodeId> HomesOf(SlotId slot) const override { return view_->ring->Homes(slot); }
  std::vector<NodeId> FallbacksOf(SlotId slot) const override { return view_->ring->Fallbacks(slot); }
  void Meet(const std::string& host, uint16_t port, uint16_t peer_port,
            std::function<void(Status)> done) override {
    met = host + ":" + std::to_string(port) + "@" + std::to_string(peer_port);
    loop_->Post([done = std::move(done), ok = host != "1.2.3"] {
      done(ok ? Status::Ok() : Status::Invalid("no address"));
    });
  }
  void Operate(const OperationRequest& request, std::function<void(Status)> done) override {
    operated = request;
    loop_->Post([done = std::move(done), status = operation_status] { done(status); });
  }
  void BlockLinks(const std::set<NodeId>& peers) override { blocked = peers; }
  LoopFacts Facts() const override {
    LoopFacts facts;
    facts.databases = {{3, 1}, {0, 0}, {2, 0}};
    facts.hints = {{NodeId{3}, 5, 100}};
    facts.links = {{NodeId{2}, true, 1'700'000'000'000, 7}};
    facts.rows = 10;
    facts.slots_held = 8192;
    facts.counters = {{"events_made", 21}, {"frames_sent", 4}};
    facts.writes_stopped = writes_stopped;
    facts.writes_stopped_reason = writes_stopped ? "no space left on device" : "";
    return facts;
  }
  SlotFacts DescribeSlot(SlotId slot) const override {
    return {slot, true, true, 4, 0xabcdef, "0000000000000001.42:7", 1, 2};
  }
  Digest SlotDigest(SlotId slot) const override { return slot < 4 ? Digest{slot + 100U, 1} : Digest{}; }
  void AwaitReplicas(const std::vector<SlotId>& slots, uint64_t replicas, uint64_t timeout_ms,
                     std::shared_ptr<const std::atomic<bool>> given_up,
                     std::function<void(uint64_t)> done) override {
    awaited = slots;
    wait_given_up = std::move(given_up);
    if (replicas <= 1 || timeout_ms != 0) return loop_->Post([done = std::move(done)] { done(1); });
    waits.push_back(std::move(done));
  }
  std::map<std::string, uint64_t> StoreProperties() const override { return {{"block_cache_usage", 123}}; }
  void Checkpoint(std::function<void(Status)> done) override {
    if (hold_checkpoint) {
      checkpoint = std::move(done);
      return;
    }
    loop_->Post([done = std::move(done), status = checkpoint_status] { done(status); });
  }
  void ForgetCachedRows() override { ++forgotten; }
  Status FlushStore() override {
    ++flushes;
    return checkpoint_status;
  }
  void SetActiveExpiry(bool active) override { active_expiry = active; }
  ActivityFacts Activity() const override { return activity; }
  void ResetCounts() override { activity = {}; }
  void OnConfig(const ConfigPtr& config) override { seen_config = config; }

  ActivityFacts activity;
  std::string met;
  std::optional<OperationRequest> operated;
  Status operation_status;  ///< what Operate answers
  std::set<NodeId> blocked;
  std::vector<SlotId> awaited;
  std::vector<std::function<void(uint64_t)>> waits;
  std::shared_ptr<const std::atomic<bool>> wait_given_up;
  std::function<void(Status)> checkpoint;
  bool hold_checkpoint = false;
  bool active_expiry = true;
  int forgotten = 0;
  int flushes = 0;
  bool writes_stopped = false;
  Status checkpoint_status;
  ConfigPtr seen_config;

 private:
  runtime::UvLoop* loop_;
  replication::ClusterViewPtr view_;
};

}  // namespace orrery::server

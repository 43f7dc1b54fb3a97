#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "commands/test_timers.h"
#include "orrery/commands/cluster_access.h"
#include "orrery/commands/dispatcher.h"
#include "orrery/commands/executor.h"
#include "orrery/replication/parked_requests.h"
#include "orrery/replication/request.h"
#include "orrery/types/derived_index.h"
#include "types/test_slot.h"

namespace orrery::commands {

/// A cluster without nodes: every slot is one replica in memory that runs requests by the real Executor.
/// Requests and replies wait in queues until a test lets them go on, by chance if it wants to: requests of
/// one slot keep their order, everything else may overtake. Requests travel through their wire format.
class FakeCluster final : public replication::RequestRouter, public ClusterAccess {
 public:
  explicit FakeCluster(uint64_t seed = 1) : random_(seed), dispatcher_(this, this, seed) {}

  // replication::RequestRouter
  void Submit(replication::Request request, replication::Callback done) override;
  // ClusterAccess
  void SurveyKeys(const SurveyQuery& query, std::function<void(const KeySurvey&)> done) override;
  void Post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
  uint64_t StartTimer(uint64_t ms, std::function<void()> task) override {
    return timers_.Start(now_ms_ + ms, std::move(task));
  }
  void StopTimer(uint64_t id) override { timers_.Stop(id); }
  uint64_t WallMs() override { return now_ms_; }

  /// Starts a command; its reply will be in *reply. blocked: to end the wait of a blocking one.
  void Start(const std::vector<std::string_view>& args, std::optional<std::string>* reply,
             const std::shared_ptr<BlockedCall>& blocked = nullptr);
  /// Starts a command and lets everything go on until nothing is left.
  std::string Run(const std::vector<std::string_view>& args);
  /// The same for a command that clients cannot send.
  std::string Run(const CommandSpec& spec, const std::vector<std::string_view>& args);
  Dispatcher& dispatcher() { return dispatcher_; }
  /// One step of what is waiting, chosen by chance; false if nothing waits.
  bool Step();
  void Settle() {
    while (Step()) {
    }
  }

  /// Requests to that slot end like this from now on, without being run; nullopt: no more.
  void Fail(SlotId slot, std::optional<replication::Response> response);
  /// Its coordinator is another one now, which does not know who waits: they are sent away, or forgotten.
  void SendParkedAway(SlotId slot);
  void ForgetParked(SlotId slot) { parked_.LeaveAll(slot); }
  /// Called before a request is run, after it was taken from its queue.
  std::function<void(const replication::Request&)> on_run;

  /// Every request that was run or failed, "name slot".
  const std::vector<std::string>& log() const { return log_; }
  void ClearLog() { log_.clear(); }
  /// Greatest number of requests that were waiting or under way at once.
  size_t under_way_max() const { return under_way_max_; }
  size_t surveys() const { return surveys_; }
  const replication::Request& last_request() const { return last_request_; }
  types::TestSlot& slot(SlotId slot);
  /// Time passes; what becomes due runs, and whatever it sets going.
  void Advance(uint64_t ms);

  SessionOptions session;
  /// The survey knows nothing, or has not counted these slots.
  bool in_doubt = false;
  std::bitset<kSlotCount> uncounted;

 private:
  struct Waiting {
    replication::Request request;
    replication::Callback done;
  };

  void RunRequest(Waiting waiting);
  replication::Response Execute(const replication::Request& request);
  void Park(Waiting waiting);
  void CallParked(SlotId slot);
  void Answer(replication::Callback done, replication::Response response);

  std::mt19937_64 random_;
  types::DerivedIndex index_;
  std::map<SlotId, std::unique_ptr<types::TestSlot>> slots_;
  std::map<SlotId, std::deque<Waiting>> requests_;
  std::vector<std::function<void()>> tasks_;
  std::map<SlotId, replication::Response> failures_;
  std::vector<std::string> log_;
  replication::Request last_request_;
  Executor executor_;
  TestTimers timers_;
  replication::ParkedRequests parked_;
  uint64_t now_ms_ = 1'700'000'000'000;
  size_t under_way_ = 0;
  size_t under_way_max_ = 0;
  size_t surveys_ = 0;
  Dispatcher dispatcher_;
};

/// Keys "name:0", "name:1", ... of distinct slots.
std::vector<std::string> KeysOfDistinctSlots(std::string_view name, size_t count);

}  // namespace orrery::commands

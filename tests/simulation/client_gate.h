#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "orrery/commands/cluster_access.h"
#include "orrery/commands/dispatcher.h"
#include "orrery/replication/shard.h"
#include "orrery/runtime/clock.h"
#include "orrery/runtime/timers.h"

namespace orrery::simulation {

/// Hears of the single-slot requests that clients' commands are made of.
class RequestListener {
 public:
  virtual ~RequestListener() = default;
  /// A command of this call needs this request. Its number.
  virtual uint64_t OnRequest(uint64_t call, const replication::Request& request) = 0;
  virtual void OnResponse(uint64_t op, const replication::Response& response) = 0;
};

/// Where the clients of one loop of a node come in: a real Dispatcher over the shard's router. Gives each
/// request the number of its operation, so that it can be followed through the cluster.
class ClientGate final : private replication::RequestRouter, private commands::ClusterAccess {
 public:
  ClientGate(replication::Shard* shard, RequestListener* listener, uint64_t random_seed,
             runtime::Timers* timers, runtime::Clock* clock);

  /// Starts a client's command; done is called once, with a whole reply, unless this life ends before.
  void Call(uint64_t call, const std::vector<std::string>& args, std::function<void(std::string)> done);

 private:
  void Submit(replication::Request request, replication::Callback done) override;
  void SurveyKeys(const commands::SurveyQuery& query,
                  std::function<void(const commands::KeySurvey&)> done) override;
  void Post(std::function<void()> task) override { timers_.After(1, std::move(task)); }
  uint64_t StartTimer(uint64_t ms, std::function<void()> task) override;
  void StopTimer(uint64_t id) override { timers_.Cancel(id); }
  uint64_t WallMs() override { return clock_.WallMs(); }

  replication::Shard& shard_;
  RequestListener& listener_;
  runtime::Timers& timers_;
  runtime::Clock& clock_;
  commands::Dispatcher dispatcher_;
  uint64_t current_call_ = 0;  ///< of the command that is being taken apart or goes on
};

}  // namespace orrery::simulation

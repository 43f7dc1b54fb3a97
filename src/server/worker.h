#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "orrery/resp/request_parser.h"
#include "orrery/server/metrics.h"
#include "orrery/server/server.h"
#include "server/connection.h"
#include "server/server_state.h"

namespace orrery::server {

/// CLIENT PAUSE on one loop.
struct PauseState {
  uint64_t until_us = 0;  ///< 0: no pause
  bool writes_only = false;

  bool active() const { return until_us != 0; }
  bool holds_back(uint64_t now_us, bool is_write = true) const {
    return now_us < until_us && (is_write || !writes_only);
  }
};

/// The part of the server that lives on one loop: its clients, counters and copy of the settings. Made by
/// Server; used on its loop's thread only, once the loops run.
class Worker {
 public:
  Worker(ServerState& state, size_t index, const LoopParts& parts);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  size_t index() const { return index_; }
  ServerState& state() { return state_; }
  runtime::UvLoop& loop() { return *parts_.loop; }
  CommandRunner& runner() { return *parts_.runner; }
  NodeAccess& node() { return *parts_.node; }
  Log& log() { return *state_.log; }
  const Config& config() const { return *config_; }
  const ConfigPtr& config_ptr() const { return config_; }
  const resp::RequestLimits& request_limits() const { return request_limits_; }
  LoopMetrics& metrics() { return metrics_; }
  const PauseState& pause() const { return pause_; }

  /// Takes over an accepted socket, counted in state().client_count already.
  void Adopt(int fd, uint64_t id);
  void SetConfig(ConfigPtr config);
  void Pause(uint64_t until_us, bool writes_only);
  void Unpause();

  /// The living clients, by id.
  const std::map<uint64_t, std::unique_ptr<ClientConnection>>& clients() const { return clients_; }
  ClientConnection* FindClient(uint64_t id);

  /// Counters, brought up to date.
  LoopMetrics SnapshotMetrics();

  /// Lets every client finish, and calls done() when none is left.
  void Drain(std::function<void()> done);
  void CloseAll();

  // From connections.
  void OnClientClosed(ClientConnection& client);
  void OnAnswerForClosed(ClientConnection& client);

 private:
  void Tick();
  void ScheduleTick();
  void TickClients(uint64_t now_us);
  void UpdateRates(uint64_t now_us);
  void ScheduleBurial();
  void Bury();
  bool Admit(ClientConnection& client);
  void ArmUnpause();

  ServerState& state_;
  const size_t index_;
  const LoopParts parts_;
  ConfigPtr config_;
  resp::RequestLimits request_limits_;
  LoopMetrics metrics_;
  PauseState pause_;
  runtime::TimerId unpause_timer_ = runtime::kNoTimer;

  std::map<uint64_t, std::unique_ptr<ClientConnection>> clients_;
  /// Closed, kept until no command of theirs is under way.
  std::map<uint64_t, std::unique_ptr<ClientConnection>> dead_;
  bool burial_scheduled_ = false;
  bool draining_ = false;
  std::function<void()> on_drained_;
  /// Cleared when the worker goes, so that tasks already posted do nothing.
  std::shared_ptr<Worker*> self_;

  runtime::TimerId tick_timer_ = runtime::kNoTimer;
  uint64_t tick_due_us_ = 0;
  uint64_t last_tick_us_ = 0;
  uint64_t last_commands_ = 0;
  uint64_t last_input_ = 0;
  uint64_t last_output_ = 0;
  uint64_t last_peer_input_ = 0;
  uint64_t last_peer_output_ = 0;
};

template <typename T>
void ServerState::Gather(Worker& asking, std::function<T(Worker&)> ask,
                         std::function<void(std::vector<T>)> done) {
  struct Answers {
    std::vector<T> values;
    size_t missing;
    std::function<void(std::vector<T>)> done;
  };
  auto answers = std::make_shared<Answers>(std::vector<T>(workers.size()), workers.size(), std::move(done));
  for (size_t i = 0; i < workers.size(); ++i) {
    Post(i, [answers, ask, i, home = asking.index(), this](Worker& worker) {
      auto value = std::make_shared<T>(ask(worker));
      Post(home, [answers, value, i](Worker&) {
        answers->values[i] = std::move(*value);
        if (--answers->missing == 0) answers->done(std::move(answers->values));
      });
    });
  }
}

}  // namespace orrery::server

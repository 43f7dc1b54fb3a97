#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orrery/base/node_id.h"
#include "orrery/runtime/uv/loop.h"
#include "orrery/server/config.h"
#include "orrery/server/log.h"
#include "server/metrics/latency_monitor.h"
#include "server/metrics/slowlog.h"

namespace orrery::server {

class Worker;

/// What SAVE, BGSAVE, LASTSAVE and INFO know of checkpoints.
struct CheckpointState {
  std::mutex mutex;
  bool in_progress = false;
  bool shutdown_follows = false;  ///< SHUTDOWN SAVE waits for it, and was not aborted
  bool last_ok = true;
  uint64_t last_save_s = 0;
  uint64_t started_us = 0;
  int64_t last_duration_s = -1;
  uint64_t saves = 0;
};

/// What the loops of a server share. Constant pointers, atomics, or behind a lock that only rare commands
/// take. Belongs to the Server and outlives its workers.
struct ServerState {
  ConfigStore* config = nullptr;
  Log* log = nullptr;
  std::vector<std::unique_ptr<Worker>> workers;
  uint16_t port = 0;

  uint64_t started_us = 0;
  uint64_t started_wall_ms = 0;
  std::string run_id;  ///< 40 hexadecimal digits, new at every start
  uint64_t startup_memory_bytes = 0;

  std::atomic<uint32_t> client_count{0};
  std::atomic<uint64_t> peak_memory_bytes{0};
  std::atomic<uint64_t> next_foreign_warning_us{0};  ///< connections that speak HTTP
  Slowlog slowlog;
  LatencyMonitor latency;
  CheckpointState checkpoint;

  std::mutex blocked_mutex;
  std::set<NodeId> blocked_links;  ///< DEBUG LINK DROP

  /// Any thread; see Server::BeginShutdown. kNow does not wait for what is under way.
  enum class Shutdown : uint8_t { kGraceful, kNow };
  std::function<void(Shutdown)> begin_shutdown;

  /// Runs the function on that worker's loop, later.
  void Post(size_t index, std::function<void(Worker&)> task);
  void PostAll(const std::function<void(Worker&)>& task);

  /// Asks every loop, and hands the answers, in the loops' order, to done() on the asking loop.
  template <typename T>
  void Gather(Worker& asking, std::function<T(Worker&)> ask, std::function<void(std::vector<T>)> done);
};

}  // namespace orrery::server

#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "orrery/storage/rocksdb_row_store.h"
#include "storage/rocks_rescue.h"

namespace orrery::storage {

/// Reads all table files again and again and compares their checksums, so that damage is found while other
/// nodes still have what is damaged here. A file at a time, at a bounded rate, on a thread of its own, past
/// all caches.
class RocksScrubber {
 public:
  struct Hooks {
    std::function<std::vector<TableFile>()> list;
    std::function<Status(const TableFile&)> check;
    /// A file of the database is damaged. On the scrubber's thread.
    std::function<void(const TableFile&, const Status&)> on_damage;
  };
  explicit RocksScrubber(Hooks hooks);
  ~RocksScrubber();
  RocksScrubber(const RocksScrubber&) = delete;
  RocksScrubber& operator=(const RocksScrubber&) = delete;

  /// Ends the file that is being read, and then the thread; no hook is called any more. Only once.
  void Stop();
  /// Any thread. An interval of 0 turns it off.
  void Set(const ScrubOptions& options);
  /// Somebody has read damaged bytes: a pass begins now, at full speed, whatever the interval. Any thread.
  void Hurry();
  void AddNumbers(std::map<std::string, uint64_t>* out) const;

 private:
  using Clock = std::chrono::steady_clock;
  void Run();
  void Pass(std::unique_lock<std::mutex>* lock);

  const Hooks hooks_;
  mutable std::mutex mutex_;  // guards all below but the thread
  std::condition_variable wake_;
  ScrubOptions options_;
  Clock::time_point next_;
  bool stopping_ = false;
  bool hurried_ = false;
  bool running_ = false;
  uint64_t passes_ = 0;
  uint64_t files_ = 0;
  uint64_t bytes_ = 0;
  uint64_t damaged_ = 0;
  std::thread thread_;
};

}  // namespace orrery::storage

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>

namespace orrery::simulation {

/// The one queue of everything that will happen in a simulated cluster, in the order of virtual time; what is
/// due at the same instant happens in the order in which it was asked for. Time stands still while a task
/// runs. One thread.
class Scheduler {
 public:
  using Task = std::function<void()>;

  uint64_t now_us() const { return now_us_; }
  /// Tasks run so far, but for quiet ones.
  uint64_t steps() const { return steps_; }

  /// Never returns 0. A quiet task is no step: what goes on all the time and seldom changes anything, as
  /// heartbeats do.
  uint64_t At(uint64_t time_us, Task task, bool quiet = false);
  uint64_t After(uint64_t delay_us, Task task, bool quiet = false) {
    return At(now_us_ + delay_us, std::move(task), quiet);
  }
  /// Harmless if the task has run or was cancelled.
  void Cancel(uint64_t id);
  /// Runs the next task, and quiet ones before it; false if there is none.
  bool Step();

 private:
  struct Planned {
    Task task;
    bool quiet;
  };
  std::map<std::pair<uint64_t, uint64_t>, Planned> tasks_;
  std::unordered_map<uint64_t, uint64_t> times_;  // looked up only, never walked
  uint64_t now_us_ = 1'000'000;
  uint64_t last_id_ = 0;
  uint64_t steps_ = 0;
};

}  // namespace orrery::simulation

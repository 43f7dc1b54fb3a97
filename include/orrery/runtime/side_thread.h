#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace orrery::runtime {

/// A second thread for a loop that has a long step to take and must not be silent meanwhile: the step runs
/// there while the loop's thread waits for it, and from time to time does something else. So the step has all
/// that the loop owns for itself, but for what the other thing needs. Owned by the loop; used on the loop's
/// thread only. The thread is started with the first step and costs nothing before.
class SideThread {
 public:
  SideThread() = default;
  ~SideThread();
  SideThread(const SideThread&) = delete;
  SideThread& operator=(const SideThread&) = delete;

  /// Returns when the step is done. meanwhile: called here, each time that so many microseconds have passed;
  /// it must not call Run. Neither may throw.
  void Run(const std::function<void()>& step, uint64_t every_us, const std::function<void()>& meanwhile);

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable changed_;              ///< a step has come or is done, or the end has
  const std::function<void()>* step_ = nullptr;  ///< null when it is done
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace orrery::runtime

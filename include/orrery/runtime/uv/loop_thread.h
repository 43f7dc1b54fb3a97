#pragma once

#include <functional>
#include <thread>

#include "orrery/runtime/uv/loop.h"

namespace orrery::runtime {

/// A loop and the thread that runs it. Created, started and destroyed by one other thread, which owns it.
class LoopThread {
 public:
  /// The loop exists but does not turn yet: what lives on it may be set up from the owner's thread until
  /// Start().
  LoopThread() = default;
  /// Stop().
  ~LoopThread();
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  UvLoop& loop() { return loop_; }
  void Start();
  /// Ends the turns and joins; afterwards the owner may take down what lives on the loop. Harmless twice.
  void Stop();
  /// Runs the function on the loop and waits for its return. REQUIRES: running, and called from another
  /// thread.
  void Call(const std::function<void()>& function);

 private:
  UvLoop loop_;
  std::thread thread_;
};

}  // namespace orrery::runtime

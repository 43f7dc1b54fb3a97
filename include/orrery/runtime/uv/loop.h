#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "orrery/runtime/clock.h"
#include "orrery/runtime/timers.h"

namespace orrery::runtime {

/// Names a callback given to OnTurnEnd().
using TurnEndId = uint64_t;

/// One event loop over libuv: sockets, timers, tasks from other threads. Owned by whoever runs it; everything
/// that lives on it (listeners, connections, transports) must be gone before it. Used on the thread that
/// calls Run(), and before Run() starts and after it returned by one thread at a time; Post() and Stop() by
/// any thread.
///
/// A *turn* is one round of the loop: what was ready, what was posted and what was due. At its end, before
/// the loop sleeps again, come the OnTurnEnd() callbacks (group commit), and then everything written to
/// connections during the turn leaves, in one system call per connection.
///
/// Creating a loop makes the process ignore SIGPIPE: a broken connection is an error of that connection
/// alone.
class UvLoop final : public Clock, public Timers {
 public:
  UvLoop();
  ~UvLoop() override;
  UvLoop(const UvLoop&) = delete;
  UvLoop& operator=(const UvLoop&) = delete;

  uint64_t WallMs() const override;
  /// Microseconds since the Unix epoch, for the clock on the wall alone: TIME.
  uint64_t WallUs() const;
  uint64_t MonotonicUs() const override;

  /// Timers fire in the order of their deadlines, never early, with the grain of a millisecond.
  TimerId After(uint64_t delay_us, std::function<void()> callback) override;
  void Cancel(TimerId id) override;

  /// Any thread. Runs the task on the loop, in a later turn; tasks of one thread run in order. Many tasks
  /// posted between two turns cost one wake-up. A task still waiting when the loop is destroyed is dropped
  /// unrun.
  void Post(std::function<void()> task);

  /// Runs the callback at the end of every turn in which something happened, in order of registration.
  TurnEndId OnTurnEnd(std::function<void()> callback);
  void RemoveTurnEnd(TurnEndId id);
  /// A turn that has read so many bytes from connections ends before the next connection is looked at, so
  /// that what it made leaves while the rest is still worked on. Until this is called turns have no limit.
  void LimitTurn(size_t bytes);

  /// Calls back on the loop, in place of the default action, when the process gets SIGTERM or SIGINT.
  void OnTerminate(std::function<void(int signal)> callback);

  /// Turns until Stop(). The turn that stops is finished, its end included.
  void Run();
  /// One turn: waits until something happens, handles it, runs the end of the turn. For tests and tools.
  void RunTurn();
  /// Any thread. Makes Run() return; before Run() it makes the next Run() return after a turn.
  void Stop();

  /// For the sources of runtime/uv.
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace orrery::runtime

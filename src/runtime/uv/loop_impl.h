#pragma once

#include <uv.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "orrery/runtime/uv/loop.h"
#include "runtime/task_queue.h"
#include "runtime/timer_heap.h"
#include "runtime/uv/chunk_pool.h"

namespace orrery::runtime {

/// Something with output to send when the turn ends.
class Flushable {
 public:
  virtual ~Flushable() = default;
  virtual void Flush() = 0;
  /// Whether it may leave with what the next few turns add to it, as long as the loop has more to do at once.
  virtual bool MayWait() const { return false; }

 private:
  friend struct UvLoop::Impl;
  static constexpr size_t kNotListed = SIZE_MAX;
  size_t flush_index_ = kNotListed;
};

/// What the sources of runtime/uv share of a loop. Loop's thread only, except tasks, stop and wake.
struct UvLoop::Impl {
  explicit Impl(UvLoop& loop);
  ~Impl();

  /// Something happened: this turn has an end.
  void NoteActivity() { active = true; }
  /// Calls target.Flush() once at the end of this turn, or of one of the next few (MayWait).
  void FlushLater(Flushable& target);
  void ForgetFlush(Flushable& target);

  void RunTasks();
  void RunDueTimers();
  void EndTurn();
  /// After a connection was read: ends the turn here if it has read enough.
  void EndLongTurn();
  void RunTurnEndCallbacks();
  void FlushAll(bool may_wait);
  void LookAgainIfWaiting();
  void ArmTimer();
  void DropWaiting();

  UvLoop& owner;
  uv_loop_t uv{};
  uv_async_t wake{};
  uv_timer_t timer{};
  uv_prepare_t before_poll{};
  uv_idle_t look_again{};  ///< while it is active the loop does not sleep
  std::optional<uv_signal_t> terminate[2];
  std::function<void(int)> on_terminate;

  TaskQueue tasks;
  std::atomic<bool> stop{false};
  TimerHeap timers;
  uint64_t armed_ms = 0;  ///< 0: not armed

  struct TurnEnd {
    TurnEnd(TurnEndId i, std::function<void()> c) : id(i), callback(std::move(c)) {}
    TurnEndId id;
    std::function<void()> callback;
    bool removed = false;
  };
  std::vector<std::shared_ptr<TurnEnd>> turn_ends;
  TurnEndId last_turn_end = 0;
  std::vector<Flushable*> to_flush;
  int turns_waited = 0;  ///< of what is in to_flush between turns
  bool active = false;
  size_t read_bytes = 0;  ///< from connections, in this turn
  size_t turn_bytes_max = SIZE_MAX;

  ChunkPool chunks;
};

}  // namespace orrery::runtime

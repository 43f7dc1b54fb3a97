#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace orrery::commands {

/// Timers of a fake node, by a clock that the test moves.
class TestTimers {
 public:
  uint64_t Start(uint64_t due_ms, std::function<void()> task) {
    timers_.emplace(++last_id_, Timer{due_ms, std::move(task)});
    return last_id_;
  }
  void Stop(uint64_t id) { timers_.erase(id); }
  bool empty() const { return timers_.empty(); }

  /// When the next one is due. REQUIRES: !empty().
  uint64_t next_due_ms() const { return Next()->second.due_ms; }
  /// Takes out what is due next. REQUIRES: !empty().
  std::function<void()> TakeNext() {
    const auto next = Next();
    std::function<void()> task = next->second.task;
    timers_.erase(next);
    return task;
  }

 private:
  struct Timer {
    uint64_t due_ms;
    std::function<void()> task;
  };
  std::map<uint64_t, Timer>::const_iterator Next() const {
    auto next = timers_.begin();
    for (auto it = timers_.begin(); it != timers_.end(); ++it) {
      if (it->second.due_ms < next->second.due_ms) next = it;
    }
    return next;
  }

  uint64_t last_id_ = 0;
  std::map<uint64_t, Timer> timers_;
};

}  // namespace orrery::commands

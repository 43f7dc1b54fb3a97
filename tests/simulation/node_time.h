#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>

#include "orrery/runtime/clock.h"
#include "orrery/runtime/timers.h"
#include "simulation/scheduler.h"

namespace orrery::simulation {

/// A node's clocks: the virtual one, and a wall clock that is wrong by an offset which the nemesis may
/// change.
class NodeClock final : public runtime::Clock {
 public:
  /// What an exact wall clock shows at virtual time zero.
  static constexpr uint64_t kEpochMs = 1'700'000'000'000;

  explicit NodeClock(const Scheduler* scheduler) : scheduler_(*scheduler) {}

  uint64_t WallMs() const override {
    return static_cast<uint64_t>(static_cast<int64_t>(kEpochMs + scheduler_.now_us() / 1000) + offset_ms_);
  }
  uint64_t MonotonicUs() const override { return scheduler_.now_us(); }

  int64_t offset_ms() const { return offset_ms_; }
  void SetOffset(int64_t offset_ms) { offset_ms_ = offset_ms; }

 private:
  const Scheduler& scheduler_;
  int64_t offset_ms_ = 0;
};

/// The timers of one life of a node; those of a life that ended never fire.
class NodeTimers final : public runtime::Timers {
 public:
  /// run(task) runs the task on the node, at once or, if the node is paused, later.
  NodeTimers(Scheduler* scheduler, std::function<void(std::function<void()>)> run)
      : scheduler_(*scheduler), run_(std::move(run)) {}
  ~NodeTimers() override {
    for (uint64_t id : live_) scheduler_.Cancel(id);
  }

  runtime::TimerId After(uint64_t delay_us, std::function<void()> callback) override {
    // The task learns its own id only after it is made; it runs later than that.
    auto id = std::make_shared<uint64_t>(0);
    *id = scheduler_.After(delay_us, [this, id, callback = std::move(callback)] {
      run_([this, id, callback] {
        if (live_.erase(*id) != 0) callback();
      });
    });
    live_.insert(*id);
    return *id;
  }
  void Cancel(runtime::TimerId id) override {
    if (live_.erase(id) != 0) scheduler_.Cancel(id);
  }

 private:
  Scheduler& scheduler_;
  std::function<void(std::function<void()>)> run_;
  std::set<uint64_t> live_;
};

}  // namespace orrery::simulation

#include "simulation/scheduler.h"

#include <algorithm>

namespace orrery::simulation {

uint64_t Scheduler::At(uint64_t time_us, Task task, bool quiet) {
  const uint64_t id = ++last_id_;
  const uint64_t time = std::max(time_us, now_us_);
  tasks_.emplace(std::pair(time, id), Planned{std::move(task), quiet});
  times_.emplace(id, time);
  return id;
}

void Scheduler::Cancel(uint64_t id) {
  const auto it = times_.find(id);
  if (it == times_.end()) return;
  tasks_.erase({it->second, id});
  times_.erase(it);
}

bool Scheduler::Step() {
  for (bool quiet = true; quiet;) {
    if (tasks_.empty()) return false;
    const auto first = tasks_.begin();
    now_us_ = first->first.first;
    times_.erase(first->first.second);
    const Planned planned = std::move(first->second);
    tasks_.erase(first);
    quiet = planned.quiet;
    planned.task();
  }
  ++steps_;
  return true;
}

}  // namespace orrery::simulation

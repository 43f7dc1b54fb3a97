#include "orrery/runtime/side_thread.h"

#include <chrono>

namespace orrery::runtime {

SideThread::~SideThread() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SideThread::Run(const std::function<void()>& step, uint64_t every_us,
                     const std::function<void()>& meanwhile) {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) thread_ = std::thread([this] { Work(); });
  step_ = &step;
  changed_.notify_all();
  const auto is_done = [this] { return step_ == nullptr; };
  while (!changed_.wait_for(lock, std::chrono::microseconds(every_us), is_done)) {
    lock.unlock();
    meanwhile();
    lock.lock();
  }
}

void SideThread::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return step_ != nullptr || stop_; });
    if (step_ == nullptr) return;
    lock.unlock();
    (*step_)();
    lock.lock();
    step_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace orrery::runtime

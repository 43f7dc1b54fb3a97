#include "orrery/runtime/uv/loop_thread.h"

#include <future>

#include "orrery/base/check.h"

namespace orrery::runtime {

LoopThread::~LoopThread() {
  Stop();
}

void LoopThread::Start() {
  ORRERY_CHECK(!thread_.joinable());
  thread_ = std::thread([this] { loop_.Run(); });
}

void LoopThread::Stop() {
  if (!thread_.joinable()) return;
  loop_.Stop();
  thread_.join();
}

void LoopThread::Call(const std::function<void()>& function) {
  ORRERY_CHECK(thread_.joinable() && thread_.get_id() != std::this_thread::get_id());
  std::promise<void> done;
  loop_.Post([&] {
    function();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace orrery::runtime

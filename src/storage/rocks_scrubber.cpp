#include "storage/rocks_scrubber.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace orrery::storage {
namespace {

// A node that restarts more often than the interval is scrubbed all the same; but not while it is catching
// up.
constexpr std::chrono::minutes kFirstPass{10};

}  // namespace

RocksScrubber::RocksScrubber(Hooks hooks)
    : hooks_(std::move(hooks)), next_(Clock::now() + kFirstPass), thread_([this] { Run(); }) {}

RocksScrubber::~RocksScrubber() {
  if (thread_.joinable()) Stop();
}

void RocksScrubber::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void RocksScrubber::Set(const ScrubOptions& options) {
  {
    const std::lock_guard lock(mutex_);
    if (options_ == options) return;
    options_ = options;
    next_ = std::min(next_, Clock::now() + std::chrono::seconds(options.interval_s));
  }
  wake_.notify_one();
}

void RocksScrubber::Hurry() {
  {
    const std::lock_guard lock(mutex_);
    hurried_ = true;
  }
  wake_.notify_one();
}

void RocksScrubber::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (hurried_ || (options_.interval_s > 0 && Clock::now() >= next_)) {
      Pass(&lock);
      next_ = Clock::now() + std::chrono::seconds(options_.interval_s);
    } else if (options_.interval_s == 0) {
      wake_.wait(lock);
    } else {
      wake_.wait_until(lock, next_);
    }
  }
}

void RocksScrubber::Pass(std::unique_lock<std::mutex>* lock) {
  running_ = true;
  const bool hurried = std::exchange(hurried_, false);
  lock->unlock();
  const std::vector<TableFile> files = hooks_.list();
  for (const TableFile& file : files) {
    const Status status = hooks_.check(file);
    if (status.code() == StatusCode::kCorruption) hooks_.on_damage(file, status);
    lock->lock();
    ++files_;
    bytes_ += file.bytes;
    if (status.code() == StatusCode::kCorruption) ++damaged_;
    const auto pause =
        std::chrono::microseconds(file.bytes * 1'000'000 / std::max<uint64_t>(1, options_.bytes_per_s));
    if (!hurried) wake_.wait_for(*lock, pause, [this] { return stopping_ || hurried_; });
    if (stopping_) return;
    lock->unlock();
  }
  lock->lock();
  ++passes_;
  running_ = false;
}

void RocksScrubber::AddNumbers(std::map<std::string, uint64_t>* out) const {
  const std::lock_guard lock(mutex_);
  (*out)["scrub_running"] = running_;
  (*out)["scrub_passes"] = passes_;
  (*out)["scrub_files"] = files_;
  (*out)["scrub_bytes"] = bytes_;
  (*out)["scrub_damaged_files"] = damaged_;
}

}  // namespace orrery::storage

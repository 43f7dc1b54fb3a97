#include "storage/wal_syncer.h"

#include <utility>

namespace orrery::storage {

WalSyncer::WalSyncer(std::function<Status()> sync) : sync_(std::move(sync)), thread_([this] { Run(); }) {}

WalSyncer::~WalSyncer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void WalSyncer::Request(std::function<void(Status)> done) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(done));
  }
  wake_.notify_one();
}

void WalSyncer::Run() {
  for (Callbacks batch = WaitForRequests(); !batch.empty(); batch = WaitForRequests()) {
    const Status outcome = sync_();
    for (const auto& done : batch) done(outcome);
  }
}

WalSyncer::Callbacks WalSyncer::WaitForRequests() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
  if (stopping_) return {};
  return std::exchange(waiting_, {});
}

}  // namespace orrery::storage

#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "orrery/base/status.h"

namespace orrery::storage {

/// One thread that makes committed writes durable, so that no loop waits for a disk: all requests that
/// gathered while one sync ran share the next one. Owned by the database.
class WalSyncer {
 public:
  /// sync: makes durable what was committed before it is called; on the syncer's thread.
  explicit WalSyncer(std::function<Status()> sync);
  /// Waits for a sync that is under way. Requests that have not begun are dropped, their callbacks never
  /// called.
  ~WalSyncer();

  /// Any thread. done runs on the syncer's thread, after a sync that began after this call.
  void Request(std::function<void(Status)> done);

 private:
  using Callbacks = std::vector<std::function<void(Status)>>;
  void Run();
  /// Empty: time to stop.
  Callbacks WaitForRequests();

  const std::function<Status()> sync_;
  std::mutex mutex_;  // guards the two below
  Callbacks waiting_;
  bool stopping_ = false;
  std::condition_variable wake_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace orrery::storage

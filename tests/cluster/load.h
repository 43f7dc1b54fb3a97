#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cluster/processes.h"

namespace orrery::cluster {

/// What one client knows of its keys: the last acknowledged value, and values since whose outcome is unknown.
struct Ledger {
  std::map<std::string, int> acknowledged;
  std::map<std::string, std::set<int>> doubtful;
  int64_t counted = 0;
  int64_t doubtful_counts = 0;
};

/// Clients on threads that write until they are stopped: each SETs keys of its own to rising values, and all
/// INCR one counter. One that loses its node goes on with the next. The ledgers may be read after Stop().
class Load {
 public:
  explicit Load(const Processes& nodes);
  ~Load() { Stop(); }
  void Stop();
  int64_t written() const { return written_; }
  const std::vector<Ledger>& ledgers() const { return ledgers_; }
  /// From `start` to the last error since, in seconds; 0 if there was none.
  double SecondsUntilLastError(std::chrono::steady_clock::time_point start) const;

 private:
  void Work(const Processes& nodes, int client);
  void NoteError() { last_error_ = std::chrono::steady_clock::now().time_since_epoch().count(); }

  std::atomic<bool> stop_ = false;
  std::atomic<int64_t> written_ = 0;
  std::atomic<int64_t> last_error_ = 0;
  std::vector<Ledger> ledgers_;
  std::vector<std::thread> threads_;
};

/// Whether the reply of a write says that nothing was applied.
bool NothingWasApplied(const std::string& reply);

/// Until the load has had so many more SETs acknowledged; a failure if it stands still.
void WaitForWrites(const Load& load, int64_t more);

/// The keys that the load has written, its counter included. After Stop().
std::vector<std::string> KeysOf(const Load& load);

/// All nodes are back, and the load is stopped: hints are handed over and replicas are equal before the time is up that
/// is promised for it. Says how long it took.
void ExpectHandedOverSoon(Processes* nodes, const Load& load);

/// Every key shows its last acknowledged value or a later one that was tried, the counter is between what was
/// acknowledged and what was tried, on every node; and in the end replicas are equal and no hints remain.
void ExpectNothingLost(Processes* nodes, const Load& load);

}  // namespace orrery::cluster

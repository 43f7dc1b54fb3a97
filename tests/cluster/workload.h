#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "cluster/processes.h"

namespace orrery::cluster {

/// How commands ended, as their clients were told.
struct Outcomes {
  int64_t acknowledged = 0;
  int64_t unknown = 0;
  int64_t refused = 0;  // nothing was applied
};

/// One kind of data that many clients change while things break, with a ledger of what they were told. At
/// rest the ledger says what must be there and what must not. Calls are for any thread.
class Workload {
 public:
  virtual ~Workload() = default;
  virtual const char* name() const = 0;
  /// One operation of one client, whose connection this is.
  void Step(size_t client, Client* connection, std::mt19937_64* random);
  /// All that is wrong with what the nodes show. The cluster must be whole and converged.
  std::vector<std::string> Verify(const Processes& nodes);
  /// Keys of this round that were touched.
  std::vector<std::string> Keys();
  Outcomes outcomes();

 protected:
  explicit Workload(std::string prefix) : prefix_(std::move(prefix)) {}
  virtual void DoStep(size_t client, Client* connection, std::mt19937_64* random) = 0;
  virtual void DoVerify(const Processes& nodes) = 0;
  virtual std::vector<std::string> KeyList() const = 0;

  enum class Outcome { kAcknowledged, kUnknown, kRefused };
  /// Of a write's reply; counts it.
  Outcome Judge(const std::string& reply);
  void Complain(const std::string& what) { complaints_.push_back(prefix_ + name() + ": " + what); }

  const std::string prefix_;  // of all keys
  std::mutex mutex_;          // over everything but waiting for replies

 private:
  Outcomes outcomes_;
  std::vector<std::string> complaints_;  // of the latest Verify()
  std::vector<std::string> unexpected_;  // replies that no weather explains
};

/// One of each kind; `round` keeps their keys apart from those of other rounds.
std::vector<std::unique_ptr<Workload>> MakeWorkloads(int round, size_t clients);

/// "a|b|c" as Client joins arrays; nothing of "".
std::vector<std::string> SplitReply(const std::string& reply, char at = '|');

}  // namespace orrery::cluster

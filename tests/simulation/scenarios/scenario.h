#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "simulation/checkers.h"
#include "simulation/cluster.h"
#include "simulation/run.h"
#include "simulation/workload.h"

namespace orrery::simulation {

/// A cluster of five whose faults and commands a test gives by hand. All checkers watch; one slot, whose
/// preference list is home(0), home(1), home(2) and then the fallbacks away(0), away(1). Starts when
/// everybody has met everybody.
class Scenario {
 public:
  explicit Scenario(Options options = Sizes(), uint64_t seed = 1);
  ~Scenario();

  /// Five nodes, N=3, R=W=2, one slot, no random clients or faults.
  static Options Sizes();

  Cluster& cluster() { return cluster_; }
  Checkers& checkers() { return checkers_; }
  size_t home(size_t i) { return cluster_.IndexOf(cluster_.Homes(slot())[i]); }
  size_t away(size_t i) { return cluster_.IndexOf(cluster_.Fallbacks(slot())[i]); }
  SlotId slot() const { return cluster_.slots()[0]; }
  /// The key of that kind (key_kinds.h) in the slot.
  std::string Key(char name) const;

  void RunFor(uint64_t duration_us);
  /// Cuts these nodes off from all others, or lets them back.
  void Isolate(const std::set<size_t>& nodes, bool cut = true);
  /// Sends a command and does not wait.
  Call* Send(size_t entry, char key, const std::string& command, const std::vector<std::string>& rest = {});
  /// Sends a command, waits until it is answered or given up, and returns what the client saw.
  std::string Do(size_t entry, char key, const std::string& command,
                 const std::vector<std::string>& rest = {});
  static std::string Seen(const Call& call);
  /// Heals everything; all homes must come to agree.
  void Settle();

 private:
  Cluster cluster_;
  Checkers checkers_;
  Workload workload_;
};

}  // namespace orrery::simulation

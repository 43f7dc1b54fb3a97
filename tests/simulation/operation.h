#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orrery/replication/request.h"
#include "simulation/sim_executor.h"

namespace orrery::simulation {

struct Call;

/// One request to one slot, from its invocation to its end: a client's command, or the part of it that
/// concerns the slot.
struct Operation {
  uint64_t id = 0;
  uint64_t call = 0;
  const Call* caller = nullptr;  ///< that call; lives as long as the workload
  size_t entry = 0;  ///< the node that the client is connected to
  SlotId slot = 0;
  std::vector<std::string> args;
  replication::Traits traits;
  uint64_t invoked_us = 0;
  uint64_t replied_us = 0;
  /// Unset while nobody has answered.
  std::optional<replication::Response> response;
  bool given_up = false;  ///< the client waits no more
  /// Where it ran, in order; more than one if it was tried elsewhere.
  std::vector<Execution> executions;
  /// The event that was acknowledged; counter 0 if there is none, or if it may be either of two.
  causality::Dot promised;
  /// What had been acknowledged in the slot when it was invoked.
  causality::SlotClock acknowledged_before;

  bool acknowledged() const { return response && response->outcome == replication::Outcome::kReply; }
};

/// One command of one client.
struct Call {
  uint64_t id = 0;
  size_t client = 0;
  size_t entry = 0;
  std::vector<std::string> args;
  std::vector<Operation*> operations;  ///< what it was taken apart to
  std::optional<std::string> reply;
  bool given_up = false;  ///< the client waits no more
};

std::string Describe(const Operation& operation);

}  // namespace orrery::simulation

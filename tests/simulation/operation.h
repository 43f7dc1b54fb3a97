#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orrery/replication/request.h"
#include "simulation/tiny_executor.h"

namespace orrery::simulation {

/// One command of one client, from its invocation to its end.
struct Operation {
  uint64_t id = 0;
  size_t client = 0;
  size_t entry = 0;  ///< the node that the client is connected to
  SlotId slot = 0;
  std::vector<std::string> args;
  replication::Traits traits;
  uint64_t invoked_us = 0;
  uint64_t replied_us = 0;
  /// Unset while nobody has answered; an operation that the client gave up is never answered.
  std::optional<replication::Response> response;
  bool given_up = false;
  /// Where it ran, in order; more than one if it was tried elsewhere.
  std::vector<Execution> executions;
  /// The event that was acknowledged; counter 0 if there is none, or if it may be either of two.
  causality::Dot promised;
  /// What had been acknowledged in the slot when it was invoked.
  causality::SlotClock acknowledged_before;

  bool acknowledged() const { return response && response->outcome == replication::Outcome::kReply; }
};

std::string Describe(const Operation& operation);

}  // namespace orrery::simulation

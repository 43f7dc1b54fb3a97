#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace orrery::simulation {

/// One command as it concerned one key.
struct KeyStep {
  uint64_t invoked_us = 0;
  uint64_t replied_us = UINT64_MAX;  ///< never: it may have happened or not
  std::vector<std::string> args;     ///< of the command for this key alone
  std::string reply;                 ///< what it said of this key; empty: it did not say
};

/// Whether one Redis, which executes one command after the other, could have given all these replies: for
/// each command some instant between its invocation and its reply, so that the replies follow (Herlihy and
/// Wing, "Linearizability", 1990; the search is Wing and Gong's). Empty if so; else which command no order
/// explains.
///
/// Knows SET with PXAT and KEEPTTL, GET, INCR, DECRBY, GETSET, SETNX, APPEND, DEL, GETDEL, GETEX and
/// PEXPIREAT with absolute ends, PERSIST. epoch_ms: what the nodes' wall clocks show at virtual time zero.
std::string WhyNotLinearizable(std::vector<KeyStep> steps, uint64_t epoch_ms);

/// The commands above.
bool IsModelled(const std::string& command);

}  // namespace orrery::simulation

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "orrery/commands/blocked_call.h"
#include "orrery/commands/command.h"

namespace orrery::server {

/// What a connection's state adds to a command.
struct Caller {
  uint8_t db = 0;
  uint8_t resp = 2;
  uint8_t read_quorum = 0;   ///< of the connection (CLIENT QUORUM); 0: the cluster's
  uint8_t write_quorum = 0;  ///< likewise
  /// Where a blocking command says how its wait can be ended; set for those only.
  std::shared_ptr<commands::BlockedCall> blocked = {};
};

/// Runs the commands that the server does not answer by itself: whatever has to do with keys. One per loop,
/// used on its thread; outlives the Server's connections.
class CommandRunner {
 public:
  using Done = std::function<void(std::string reply)>;

  virtual ~CommandRunner() = default;
  /// command: found by commands::CommandTable, arity checked. args are valid until Run returns. Calls done
  /// exactly once, on this loop and never inside Run, with a whole RESP reply. Commands of one caller on one
  /// slot run in order.
  virtual void Run(const commands::CommandSpec& command, std::span<const std::string_view> args,
                   const Caller& caller, Done done) = 0;
};

}  // namespace orrery::server

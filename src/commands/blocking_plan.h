#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/commands/command_table.h"

namespace orrery::commands {

/// What the arguments of a blocking command say to the entry node: how long to wait, for which keys of which
/// type, and what to run to take something without waiting.
struct BlockingPlan {
  /// False: the timeout is none. The command itself knows when it is that error's turn.
  bool may_wait = true;
  uint64_t timeout_ms = 0;  ///< 0: for ever
  std::string_view type;    ///< of the keys that are waited for, "list" or "zset"
  bool moves = false;       ///< to a second key, which is not waited for
  std::vector<std::string> keys;
  /// The command around its keys: name and what stands before them, and what stands behind.
  std::vector<std::string> before;
  std::vector<std::string> after;
  size_t count_at = 0;  ///< place in `before` of the number of keys; 0: it has none

  /// The command for some of its keys.
  std::vector<std::string> ArgumentsFor(const std::vector<std::string>& some) const;
};

/// spec: of Spread::kBlocking.
BlockingPlan PlanOf(const CommandSpec& spec, Args args);

}  // namespace orrery::commands

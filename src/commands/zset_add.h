#pragma once

#include <string_view>
#include <vector>

#include "orrery/commands/command.h"

namespace orrery::commands {

/// The options of ZADD and GEOADD (https://redis.io/commands/zadd/).
struct AddOptions {
  bool only_new = false;       ///< NX
  bool only_present = false;   ///< XX
  bool only_greater = false;   ///< GT
  bool only_less = false;      ///< LT
  bool count_changed = false;  ///< CH
  bool increment = false;      ///< INCR
};

/// False: the argument is none of them.
bool TakeAddOption(std::string_view arg, AddOptions* options);
/// Redis's error where options exclude each other; empty if they do not.
std::string_view WrongTogether(const AddOptions& options);

struct AddedScore {
  double score = 0;
  std::string_view member;
};

/// Adds to the key that the first argument names and replies how many members are new (with CH: or changed);
/// or that it is no sorted set.
void AddScores(CommandContext& context, const AddOptions& options, const std::vector<AddedScore>& pairs);

}  // namespace orrery::commands

#include "commands/blocking_plan.h"

#include "commands/blocking_timeout.h"
#include "orrery/commands/command_keys.h"

namespace orrery::commands {

BlockingPlan PlanOf(const CommandSpec& spec, Args args) {
  BlockingPlan plan;
  // BLMPOP and BZMPOP say their timeout first, all others last.
  const BlockingTimeout timeout = ParseBlockingTimeout(args[spec.key_count_arg != 0 ? 1 : args.size() - 1]);
  plan.may_wait = timeout.error.empty();
  plan.timeout_ms = timeout.ms;
  plan.type = spec.group == "list" ? "list" : "zset";
  plan.count_at = spec.key_count_arg;
  const KeyRange range = RangeOfCall(spec, args);
  plan.moves = spec.key_count_arg == 0 && range.last == range.first + 1;
  const auto first = static_cast<size_t>(range.first);
  const size_t behind = first + (plan.moves ? 1 : KeyWalk(range, args.size()).count());
  for (size_t i = 0; i < args.size(); ++i) {
    (i < first ? plan.before : i < behind ? plan.keys : plan.after).emplace_back(args[i]);
  }
  return plan;
}

std::vector<std::string> BlockingPlan::ArgumentsFor(const std::vector<std::string>& some) const {
  std::vector<std::string> args = before;
  if (count_at != 0 && some.size() != keys.size()) args[count_at] = std::to_string(some.size());
  args.insert(args.end(), some.begin(), some.end());
  args.insert(args.end(), after.begin(), after.end());
  return args;
}

}  // namespace orrery::commands

#include "orrery/replication/reset_rule.h"

namespace orrery::replication {

ResetStep NextResetStep(const ResetSituation& situation) {
  if (situation.is_removed) return situation.is_known ? ResetStep::kNow : ResetStep::kWait;
  if (situation.is_leaving) return ResetStep::kWait;
  if (situation.others > 0) return situation.rows > 0 ? ResetStep::kIsMember : ResetStep::kLeave;
  if (situation.rows > 0) return ResetStep::kHasKeys;
  return situation.is_quiet ? ResetStep::kNow : ResetStep::kBeQuiet;
}

std::string_view WhyNoReset(ResetStep step) {
  switch (step) {
    case ResetStep::kHasKeys:
      return "CLUSTER RESET can't be called with master nodes containing keys";
    case ResetStep::kIsMember:
      return "CLUSTER RESET can't be called with master nodes containing keys: RING LEAVE hands them to the "
             "other members";
    case ResetStep::kNow:
    case ResetStep::kWait:
    case ResetStep::kLeave:
    case ResetStep::kBeQuiet:
      break;
  }
  return {};
}

}  // namespace orrery::replication

#include "orrery/replication/targets.h"

#include <algorithm>

namespace orrery::replication {

const Target* Targets::FindOther(NodeId node) const {
  const auto at = std::find_if(others.begin(), others.end(), [&](const Target& t) { return t.node == node; });
  return at == others.end() ? nullptr : &*at;
}

Targets ComputeTargets(const ShardContext& context, SlotId slot, const std::set<NodeId>& refused) {
  Targets targets;
  std::vector<NodeId> absent;
  for (NodeId home : context.Homes(slot)) {
    if (home == context.self.node) {
      targets.we_are_home = true;
    } else if (context.InReach(home)) {
      const bool in_service = context.InService(slot, home);
      targets.others.push_back({home, home, !in_service});
      targets.homes_in_reach += in_service ? 1 : 0;
    } else {
      absent.push_back(home);
    }
  }
  if (absent.empty()) return targets;
  auto next_absent = absent.begin();
  if (!targets.we_are_home) targets.we_stand_for = *next_absent++;
  for (NodeId node : context.Fallbacks(slot)) {
    if (next_absent == absent.end()) break;
    if (node == context.self.node || !context.InReach(node) || refused.contains(node)) continue;
    targets.others.push_back({node, *next_absent++});
  }
  return targets;
}

NodeId CoordinatorInReach(const ShardContext& context, SlotId slot) {
  const auto homes = context.Homes(slot);
  for (NodeId home : homes) {
    if (!context.InReach(home)) continue;
    if (context.InService(slot, home) || context.IsPatientWith(slot)) return home;
  }
  // Better late than never.
  for (NodeId home : homes) {
    if (context.InReach(home)) return home;
  }
  for (NodeId node : context.Fallbacks(slot)) {
    if (context.InReach(node)) return node;
  }
  return {};
}

}  // namespace orrery::replication

#include "orrery/replication/targets.h"

#include <algorithm>

namespace orrery::replication {

Targets ComputeTargets(const ShardContext& context, SlotId slot, const std::set<NodeId>& refused) {
  Targets targets;
  std::vector<NodeId> absent;
  const auto homes = context.view->ring->Homes(slot);
  for (NodeId home : homes) {
    if (home == context.self.node) {
      targets.we_are_home = true;
    } else if (context.InReach(home)) {
      targets.others.push_back({home, home});
    } else {
      absent.push_back(home);
    }
  }
  targets.homes_in_reach = targets.others.size();
  if (absent.empty()) return targets;
  auto next_absent = absent.begin();
  if (!targets.we_are_home) targets.we_stand_for = *next_absent++;
  for (NodeId node : context.view->ring->Fallbacks(slot)) {
    if (next_absent == absent.end()) break;
    if (node == context.self.node || !context.InReach(node) || refused.contains(node)) continue;
    targets.others.push_back({node, *next_absent++});
  }
  return targets;
}

NodeId CoordinatorInReach(const ShardContext& context, SlotId slot) {
  return FirstOf(*context.view->ring, slot, [&](NodeId node) { return context.InReach(node); });
}

}  // namespace orrery::replication

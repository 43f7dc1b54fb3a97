#include "server/commands/cluster_map.h"

#include <algorithm>

namespace orrery::server {

NodeId CoordinatorOf(const NodeAccess& node, SlotId slot) {
  const auto view = node.View();
  if (view->awaits_meeting) return {};
  for (NodeId home : node.HomesOf(slot)) {
    if (view->IsAlive(home)) return home;
  }
  for (NodeId fallback : node.FallbacksOf(slot)) {
    if (view->IsAlive(fallback)) return fallback;
  }
  return {};
}

std::map<NodeId, uint32_t> HomeCounts(const NodeAccess& node) {
  std::map<NodeId, uint32_t> counts;
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    for (NodeId home : node.HomesOf(static_cast<SlotId>(slot))) ++counts[home];
  }
  return counts;
}

std::vector<SlotRun> SlotRuns(const NodeAccess& node) {
  std::vector<SlotRun> runs;
  for (uint32_t i = 0; i < kSlotCount; ++i) {
    const auto slot = static_cast<SlotId>(i);
    const NodeId coordinator = CoordinatorOf(node, slot);
    if (!coordinator) continue;
    const bool joins =
        !runs.empty() && runs.back().slots.last + 1 == slot && runs.back().coordinator == coordinator;
    if (joins) {
      runs.back().slots.last = slot;
    } else {
      runs.push_back({{slot, slot}, coordinator});
    }
  }
  return runs;
}

std::map<NodeId, std::vector<ring::SlotRange>> CoordinatedSlots(const NodeAccess& node) {
  std::map<NodeId, std::vector<ring::SlotRange>> slots;
  for (uint32_t i = 0; i < kSlotCount; ++i) {
    const auto slot = static_cast<SlotId>(i);
    const NodeId coordinator = CoordinatorOf(node, slot);
    if (!coordinator) continue;
    std::vector<ring::SlotRange>& ranges = slots[coordinator];
    if (!ranges.empty() && ranges.back().last + 1 == slot) {
      ranges.back().last = slot;
    } else {
      ranges.push_back({slot, slot});
    }
  }
  return slots;
}

uint32_t CountSlots(const std::vector<ring::SlotRange>& ranges) {
  uint32_t count = 0;
  for (const ring::SlotRange& range : ranges) count += range.last - range.first + 1U;
  return count;
}

std::vector<const membership::Member*> PresentMembers(const replication::ClusterView& view) {
  std::vector<const membership::Member*> present;
  for (const membership::Member& member : view.members) {
    if (member.state != membership::MemberState::kRemoved) present.push_back(&member);
  }
  std::sort(present.begin(), present.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
  return present;
}

const membership::Member* FindMember(const replication::ClusterView& view, std::string_view text) {
  const auto id = NodeId::FromName(text);
  for (const membership::Member* member : PresentMembers(view)) {
    if ((id && member->id == *id) || ClientAddress(*member) == text) return member;
  }
  return nullptr;
}

std::string ClientAddress(const membership::Member& member) {
  return member.host + ":" + std::to_string(member.client_port);
}

bool IsServing(const replication::ClusterView& view) {
  if (view.ring->members().empty() || view.awaits_meeting) return false;
  const size_t alive = static_cast<size_t>(std::count_if(
      view.alive.begin(), view.alive.end(), [&](NodeId node) { return view.ring->Contains(node); }));
  return alive >= std::max(view.R(), view.W());
}

}  // namespace orrery::server

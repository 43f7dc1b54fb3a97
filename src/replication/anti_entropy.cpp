#include "orrery/replication/anti_entropy.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "orrery/base/marks.h"

namespace orrery::replication {

void AntiEntropy::Sweep(NodeId peer) {
  uint32_t& next_slot = sweeps_[peer];
  next_slot = 0;
  Continue(peer, &next_slot, 1);
}

void AntiEntropy::Tick(uint64_t now_us) {
  for (auto& [peer, next_slot] : sweeps_) Continue(peer, &next_slot, kMessagesPerTick);
  std::erase_if(sweeps_, [](const auto& sweep) { return sweep.second >= kSlotCount; });

  if (now_us < next_us_) return;
  const uint64_t interval_us = context_.options.anti_entropy_interval_us;
  // The first time is drawn, so that nodes which start together do not sweep together for ever.
  const bool first = std::exchange(next_us_, now_us + interval_us) == 0;
  if (first && interval_us > 0) {
    next_us_ = now_us + context_.random->Below(interval_us);
    return;
  }
  std::vector<NodeId> peers;
  for (const NodeId peer : context_.linked) {
    if (context_.InReach(peer)) peers.push_back(peer);
  }
  if (!peers.empty()) sweeps_.emplace(peers[context_.random->Below(peers.size())], 0);
}

// After the turn's commit, as all that shows clocks: a peer may conclude from it what we hold.
void AntiEntropy::Continue(NodeId peer, uint32_t* next_slot, size_t messages) {
  const std::set<SlotId>& known = context_.slots->known();
  for (; messages > 0 && *next_slot < kSlotCount; --messages) {
    SummaryMessage summary;
    auto it = known.lower_bound(static_cast<SlotId>(*next_slot));
    for (; it != known.end() && summary.entries.size() < kEntriesPerMessage; ++it) {
      if (!context_.IsHome(*it) || !context_.IsHome(*it, peer)) continue;
      const SlotReplica& replica = context_.slots->At(*it);
      if (replica.is_aside()) continue;
      summary.entries.push_back({*it, replica.clock().Hash(), replica.digest()});
    }
    *next_slot = it == known.end() ? kSlotCount : *it;
    if (!summary.entries.empty()) context_.outbox->SendDurable(peer, summary);
  }
}

AntiEntropy::Comparison AntiEntropy::Compare(NodeId from, const SummaryMessage& summary) {
  Comparison comparison;
  for (const SummaryMessage::Entry& entry : summary.entries) {
    if (!context_.Owns(entry.slot) || !context_.IsHome(entry.slot)) continue;
    const SlotReplica& replica = context_.slots->At(entry.slot);
    if (replica.is_aside()) continue;
    if (replica.clock().Hash() != entry.clock_hash) {
      comparison.differ.push_back(entry.slot);
      continue;
    }
    comparison.equal.push_back(entry.slot);
    const uint64_t ahead = entry.digest - replica.digest();
    if (ahead != 0) ReportMismatch(from, entry.slot);
    if (IsOutvoted(from, entry.slot, ahead)) comparison.outvoted.push_back(entry.slot);
  }
  return comparison;
}

// The version of the majority of homes stays: whoever does not have it makes the slot anew.
bool AntiEntropy::IsOutvoted(NodeId peer, SlotId slot, uint64_t ahead) {
  const auto found = ahead_.find(slot);
  if (ahead == 0) {
    if (found != ahead_.end() && found->second.erase(peer) > 0 && found->second.empty()) ahead_.erase(found);
    return false;
  }
  ahead_[slot][peer] = ahead;
  const auto homes = context_.Homes(slot);
  const auto agree = std::count_if(homes.begin(), homes.end(), [&](NodeId home) {
    const auto said = ahead_[slot].find(home);
    return said != ahead_[slot].end() && said->second == ahead;
  });
  if (static_cast<size_t>(agree) * 2 <= homes.size()) return false;
  ahead_.erase(slot);
  mismatched_.erase(slot);
  return true;
}

void AntiEntropy::ReportMismatch(NodeId peer, SlotId slot) {
  ORRERY_MARK("equal clocks, different digests");
  ++context_.stats.digest_mismatches;
  if (!mismatched_.insert(slot).second || !context_.log) return;
  context_.log("slot " + std::to_string(slot) + ": same clock as " + peer.ToHex() +
               " but other rows; one of the two is damaged");
}

}  // namespace orrery::replication

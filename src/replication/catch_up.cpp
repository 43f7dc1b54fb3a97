#include "orrery/replication/catch_up.h"

#include <algorithm>

#include "orrery/base/marks.h"

namespace orrery::replication {

using causality::Event;
using causality::SlotClock;

namespace {

constexpr uint64_t kAskAgainUs = 200'000;
constexpr uint64_t kMergeIdleMaxUs = 5'000'000;
constexpr size_t kSummaryEntries = 1024;

}  // namespace

// ---- events ----

void CatchUp::OnEvent(NodeId from, const EventMessage& message) {
  const SlotId slot = message.event->slot;
  const auto& dot = message.event->dot;
  if (!context_.IsHome(slot)) return;
  SlotReplica& replica = context_.slots->At(slot);
  if (message.committed > 0) replica.committed().Raise(dot.actor, message.committed);
  switch (replica.Classify(dot)) {
    case SlotReplica::Fit::kGap:
      ++context_.stats.events_early;
      ORRERY_MARK("event before its predecessor");
      AskFor(from, slot);
      return;
    case SlotReplica::Fit::kDuplicate:
      ++context_.stats.events_duplicate;
      break;
    case SlotReplica::Fit::kNext: {
      Event event;
      if (!causality::DecodeEvent(message.event->bytes, &event)) {
        ++context_.stats.bad_frames;
        return;
      }
      if (Status status = context_.slots->Apply(event, message.event); !status.ok()) return OnCorruption(slot, status);
      ++context_.stats.events_applied;
      listener_.OnSlotAdvanced(slot);
      break;
    }
  }
  acks_.emplace(from, slot, dot.actor);
}

void CatchUp::FlushAcks() {
  for (const auto& [peer, slot, actor] : acks_) {
    const uint64_t counter = context_.slots->At(slot).clock().Get(actor);
    if (counter > 0) context_.outbox->SendDurable(peer, AckMessage{slot, {actor, counter}});
  }
  acks_.clear();
}

void CatchUp::SendLacking(NodeId peer, SlotId slot, const SlotClock& peer_clock) {
  SlotReplica& replica = context_.slots->At(slot);
  const auto events = replica.backlog().Since(peer_clock, replica.clock());
  if (!events) {
    ORRERY_MARK("backlog too short: the peer merges");
    context_.outbox->Send(peer, BehindMessage{slot});
    return;
  }
  for (const auto& event : *events) {
    context_.outbox->Send(peer, EventMessage{replica.committed().Get(event->dot.actor), event});
  }
}

// ---- clocks ----

void CatchUp::AskFor(NodeId peer, SlotId slot) {
  const uint64_t now_us = context_.clock->MonotonicUs();
  uint64_t& asked_us = asked_us_[{peer, slot}];
  if (asked_us != 0 && now_us < asked_us + kAskAgainUs) return;
  asked_us = now_us;
  context_.outbox->SendDurable(peer, ClockMessage{slot, false, context_.slots->At(slot).clock()});
}

void CatchUp::OnClock(NodeId from, const ClockMessage& message) {
  if (!context_.IsHome(message.slot)) return;
  listener_.OnPeerClock(from, message.slot, message.clock);
  const SlotClock& ours = context_.slots->At(message.slot).clock();
  if (!message.clock.CoversAll(ours)) SendLacking(from, message.slot, message.clock);
  if (!message.answer && !ours.CoversAll(message.clock)) {
    context_.outbox->SendDurable(from, ClockMessage{message.slot, true, ours});
  }
}

void CatchUp::OnSummary(NodeId from, const SummaryMessage& message) {
  for (const auto& entry : message.entries) {
    if (!SharedHome(entry.slot, from)) continue;
    const SlotReplica& replica = context_.slots->At(entry.slot);
    if (replica.clock().Hash() != entry.clock_hash) {
      context_.outbox->SendDurable(from, ClockMessage{entry.slot, false, replica.clock()});
    } else if (replica.digest() != entry.digest && !Merging(entry.slot)) {
      ++context_.stats.digest_mismatches;
      if (mismatched_.insert(entry.slot).second && context_.log) {
        context_.log("slot " + std::to_string(entry.slot) + " differs from node " + from.ToHex() +
                     " though both have seen the same events");
      }
    }
  }
}

bool CatchUp::SharedHome(SlotId slot, NodeId peer) const {
  return context_.Owns(slot) && context_.IsHome(slot) && context_.IsHome(slot, peer);
}

void CatchUp::SweepOn(Sweep* sweep) {
  SummaryMessage message;
  while (sweep->next < kSlotCount && message.entries.size() < kSummaryEntries) {
    const SlotId slot = sweep->next++;
    if (context_.slots->Find(slot) == nullptr || !SharedHome(slot, sweep->peer)) continue;
    const SlotReplica& replica = context_.slots->At(slot);
    if (replica.clock().empty()) continue;
    message.entries.push_back({slot, replica.clock().Hash(), replica.digest()});
  }
  if (!message.entries.empty()) context_.outbox->SendDurable(sweep->peer, message);
}

// ---- merges ----

void CatchUp::OnBehind(NodeId from, const BehindMessage& message) {
  if (context_.IsHome(message.slot) && !merges_.contains(message.slot)) StartMerge(from, message.slot);
}

void CatchUp::StartMerge(NodeId source, SlotId slot) {
  Merge merge;
  merge.source = source;
  merge.id = context_.random->Next64();
  merge.heard_us = context_.clock->MonotonicUs();
  context_.outbox->Send(source, MergeRequestMessage{slot, merge.id, 0});
  merges_.insert_or_assign(slot, std::move(merge));
}

void CatchUp::OnMergePart(NodeId from, MergePartMessage& message) {
  const auto it = merges_.find(message.slot);
  if (it == merges_.end() || it->second.source != from || it->second.id != message.merge_id) return;
  Merge& merge = it->second;
  if (message.gone || message.part != merge.next_part) return StopMerges({message.slot});
  if (message.part == 0) {
    merge.image.clock = std::move(message.clock);
    merge.image.voided = std::move(message.voided);
  }
  for (auto& [row_key, bytes] : message.rows) {
    causality::Row row;
    if (!causality::DecodeRow(bytes, &row)) {
      ++context_.stats.bad_frames;
      return StopMerges({message.slot});
    }
    merge.image.rows.emplace(std::move(row_key), std::move(row));
  }
  merge.heard_us = context_.clock->MonotonicUs();
  ++merge.next_part;
  if (message.last) return FinishMerge(message.slot);
  context_.outbox->Send(from, MergeRequestMessage{message.slot, merge.id, merge.next_part});
}

void CatchUp::FinishMerge(SlotId slot) {
  const Merge merge = std::move(merges_.at(slot));
  merges_.erase(slot);
  SlotReplica& replica = context_.slots->At(slot);
  context_.slots->Touch(slot);
  if (Status status = replica.Merge(merge.image); !status.ok()) return OnCorruption(slot, status);
  damaged_.erase(slot);
  ++context_.stats.merges_done;
  context_.stats.merge_rows += merge.image.rows.size();
  listener_.OnSlotAdvanced(slot);
  context_.outbox->SendDurable(merge.source, ClockMessage{slot, true, replica.clock()});
}

// A merge that stops leaves no trace; the next exchange of clocks starts another.
void CatchUp::StopMerges(const std::vector<SlotId>& slots) {
  for (SlotId slot : slots) {
    ORRERY_MARK("a merge stopped half-way");
    merges_.erase(slot);
    listener_.OnSlotAdvanced(slot);
  }
}

void CatchUp::OnCorruption(SlotId slot, const Status& why) {
  ++context_.stats.corrupt_slots;
  if (context_.log) context_.log("slot " + std::to_string(slot) + " is damaged and will be merged anew: " + why.message());
  context_.slots->At(slot).Reset();
  context_.slots->Touch(slot);
  damaged_.insert(slot);
  listener_.OnSlotAdvanced(slot);
  StartRepair(slot);
}

void CatchUp::StartRepair(SlotId slot) {
  for (NodeId home : context_.view->ring->Homes(slot)) {
    if (home != context_.self.node && context_.InReach(home)) return StartMerge(home, slot);
  }
}

// ---- reach and time ----

void CatchUp::OnPeerUp(NodeId peer) {
  std::erase_if(sweeps_, [&](const Sweep& sweep) { return sweep.peer == peer; });
  sweeps_.push_back({peer, 0});
}

void CatchUp::OnPeerDown(NodeId peer) {
  source_.OnPeerDown(peer);
  std::erase_if(sweeps_, [&](const Sweep& sweep) { return sweep.peer == peer; });
  std::erase_if(asked_us_, [&](const auto& entry) { return entry.first.first == peer; });
  std::erase_if(acks_, [&](const auto& ack) { return std::get<0>(ack) == peer; });
  std::vector<SlotId> stopped;
  for (const auto& [slot, merge] : merges_) {
    if (merge.source == peer) stopped.push_back(slot);
  }
  StopMerges(stopped);
}

void CatchUp::OnViewChanged() {
  // Homes may have changed, or a peer that was linked all along counts as alive again: compare with everybody.
  for (NodeId peer : context_.linked) {
    const bool sweeping = std::any_of(sweeps_.begin(), sweeps_.end(), [&](const Sweep& s) { return s.peer == peer; });
    if (!sweeping) sweeps_.push_back({peer, 0});
  }
}

void CatchUp::Tick(uint64_t now_us) {
  source_.Tick(now_us);
  std::vector<SlotId> idle;
  for (const auto& [slot, merge] : merges_) {
    if (now_us > merge.heard_us + kMergeIdleMaxUs) idle.push_back(slot);
  }
  StopMerges(idle);
  for (SlotId slot : damaged_) {
    if (!merges_.contains(slot)) StartRepair(slot);
  }
  std::erase_if(asked_us_, [&](const auto& entry) { return now_us > entry.second + kAskAgainUs; });
  if (sweeps_.empty() && now_us >= last_sweep_us_ + context_.options.anti_entropy_interval_us) {
    last_sweep_us_ = now_us;
    std::vector<NodeId> peers;
    for (NodeId peer : context_.linked) {
      if (context_.InReach(peer)) peers.push_back(peer);
    }
    if (!peers.empty()) sweeps_.push_back({peers[context_.random->Below(peers.size())], 0});
  }
  for (Sweep& sweep : sweeps_) SweepOn(&sweep);
  std::erase_if(sweeps_, [](const Sweep& sweep) { return sweep.next >= kSlotCount; });
}

}  // namespace orrery::replication

// Quorum reads: who is asked whether it has anything that we lack, and when that is answered (DESIGN:
// reading).

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/replication/coordinator.h"

namespace orrery::replication {

using causality::SlotClock;

void Coordinator::StartReadiness(SlotId id, Slot* slot) {
  if (slot->ready_probe != 0) return;
  slot->ready_probe = slot->next_probe;
  slot->probe_wanted = true;
  slot->probe_everybody = true;
  turn_.Insert(id);
}

size_t Coordinator::CurrentCount(const Slot& slot, uint64_t probe_id, bool homes_only) const {
  return static_cast<size_t>(
      std::count_if(slot.targets.others.begin(), slot.targets.others.end(), [&](const Target& target) {
        return !target.pending && !(homes_only && target.is_fallback()) &&
               slot.quorum.IsCurrent(target.node, probe_id);
      }));
}

bool Coordinator::CanRun(SlotId id, Slot* slot, const Waiting& head) {
  if (!context_.MayCoordinate(id)) return false;
  if (slot->handed_over > 0) return false;
  if (catch_up_.Merging(id) || context_.slots->At(id).clock().Get(context_.self) < slot->made) return false;
  if (!slot->ready) {
    if (slot->targets.homes_in_reach > 0) {
      StartReadiness(id, slot);
      const size_t wanted = std::max<size_t>(context_.R(id) - 1, 1);
      const size_t needed = std::min(wanted, slot->targets.homes_in_reach);
      if (CurrentCount(*slot, slot->ready_probe, true) < needed) return false;
    }
    slot->ready = true;
  }
  return head.probe_id == 0 || CurrentCount(*slot, head.probe_id, false) >= head.reads_needed;
}

void Coordinator::SendProbe(SlotId id, const Target& target, uint64_t probe_id) {
  const SlotClock& clock = context_.slots->At(id).clock();
  context_.outbox->Send(target.node, ProbeMessage{id, probe_id, target.is_fallback(), clock});
  ++context_.stats.probes_sent;
}

// Whether the turn's question to the peer is asked for the slot, too.
bool Coordinator::JoinTurnProbe(SlotId id, const Slot& slot, const Target& target, uint64_t probe_id) {
  if (target.is_fallback() || context_.Homes(id).front() != context_.self.node) return false;
  turn_probes_.Want(target.node);
  if (!turn_probes_.MayJoin(target.node, slot.quorum.CurrentUnder(target.node))) return false;
  turn_probes_.Join(target.node, id, probe_id);
  ++context_.stats.probes_joined;
  return true;
}

void Coordinator::SendProbes(SlotId id, Slot* slot) {
  if (!std::exchange(slot->probe_wanted, false)) return;
  const bool everybody = std::exchange(slot->probe_everybody, false);
  size_t needed = 0;
  for (const Waiting& waiting : slot->queue) needed = std::max(needed, waiting.reads_needed);
  const uint64_t probe_id = slot->next_probe++;
  size_t sent = 0;
  const auto ask = [&](const Target& target) {
    if (target.pending || (!everybody && sent >= needed)) return;
    if (everybody || !JoinTurnProbe(id, *slot, target, probe_id)) SendProbe(id, target, probe_id);
    ++sent;
  };
  const Target* const first = slot->targets.FindOther(slot->ask_first);
  if (first != nullptr) ask(*first);
  for (const Target& target : slot->targets.others) {
    if (&target != first) ask(target);
  }
  slot->probe_sent_us = turn_us_;
  slot->probed_turn = turn_number_;
  slot->probed_count = sent;
  if (everybody) {
    slot->everybody_probe = probe_id;
    slot->everybody_clock = context_.slots->At(id).clock();
  }
}

void Coordinator::OnProbeReply(NodeId from, const ProbeReplyMessage& reply) {
  Slot* slot = Find(reply.slot);
  if (slot == nullptr) return;
  const Target* target = slot->targets.FindOther(from);
  if (target == nullptr) return;
  const SlotClock& ours = context_.slots->At(reply.slot).clock();
  if (target->is_fallback()) {
    // Hints compare like a clock that knows only what was hinted: what we cover of it needs no repair.
    slot->quorum.Answered(from, reply.probe_id, reply.clock, ours);
  } else if (reply.equal) {
    slot->quorum.Answered(from, reply.probe_id, SlotClock(), ours);
    if (reply.probe_id == slot->everybody_probe) slot->quorum.LearnClock(from, slot->everybody_clock);
  } else {
    slot->quorum.LearnClock(from, reply.clock);
    slot->quorum.Answered(from, reply.probe_id, reply.clock, ours);
    if (!ours.CoversEveryDotOf(reply.clock)) ++context_.stats.reads_repaired;
    const bool lacks =
        reply.probe_id == slot->everybody_probe && !reply.clock.CoversAll(slot->everybody_clock);
    if (lacks) catch_up_.SendLacking(from, reply.slot, reply.clock);
  }
  // Most answers tell nothing of copies, and only let commands run: at once, while the slot is at hand.
  if (!reply.equal || reply.probe_id == slot->everybody_probe) return Changed(reply.slot);
  RunAnswered(reply.slot, slot);
}

// The slot's clock here is not what it was, or other homes count: everybody is asked for it by itself again.
void Coordinator::ForgetCounts(Slot* slot) {
  slot->quorum.ForgetCurrentUnder();
  slot->counted_from = slot->next_probe;
}

void Coordinator::OnCountedReply(NodeId from, const CountedReplyMessage& reply) {
  Slot* slot = Find(reply.slot);
  if (slot == nullptr) return;
  // Also where we had more than it: what came to it from us makes no difference.
  const bool is_current = reply.equal || context_.slots->At(reply.slot).clock().CoversEveryDotOf(reply.clock);
  if (is_current && reply.probe_id >= slot->counted_from) slot->quorum.LearnCurrentUnder(from, reply.count);
  turn_probes_.Learn(from, reply.count);
  OnProbeReply(from, reply);
}

void Coordinator::OnTurnProbeReply(NodeId from, const TurnProbeReplyMessage& reply) {
  turn_probes_.Learn(from, reply.count);
  const auto asked = turn_probes_.Take(from, reply.id);
  for (size_t place = 0; place < asked.size(); ++place) {
    PrefetchAsked(asked, place);
    const auto& [id, probe_id] = asked[place];
    Slot* slot = Find(id);
    const Target* target = slot->targets.FindOther(from);
    if (target == nullptr || target->is_fallback() || slot->queue.empty()) continue;
    if (slot->quorum.CurrentUnder(from) == reply.count) {
      slot->quorum.AnsweredCurrent(from, probe_id);
      RunAnswered(id, slot);
    } else {
      ORRERY_MARK("turn probe met foreign changes: slots are asked for one by one");
      SendProbe(id, *target, probe_id);
    }
  }
}

// What the slots a few places behind this one will need.
void Coordinator::PrefetchAsked(const std::vector<TurnProbes::Asked>& asked, size_t place) const {
  if (place + kPrefetchPlaceAhead < asked.size()) PrefetchPlace(asked[place + kPrefetchPlaceAhead].slot);
  if (place + kPrefetchAhead < asked.size()) PrefetchSlot(asked[place + kPrefetchAhead].slot);
  const auto front = [&](size_t ahead) -> const Waiting* {
    if (place + ahead >= asked.size()) return nullptr;
    const Slot& slot = *slots_[asked[place + ahead].slot];
    return slot.queue.empty() ? nullptr : &slot.queue.front();
  };
  if (const Waiting* waiting = front(kPrefetchQueuesAhead)) context_.store->PrefetchAgain(waiting->row_hint);
  if (const Waiting* waiting = front(1)) context_.store->PrefetchRow(waiting->row_hint);
}

}  // namespace orrery::replication

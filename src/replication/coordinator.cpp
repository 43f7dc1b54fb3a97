#include "orrery/replication/coordinator.h"

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"

namespace orrery::replication {

using causality::Dot;
using causality::EventPtr;
using causality::SlotClock;

Coordinator::Slot& Coordinator::At(SlotId id) {
  auto& slot = slots_[id];
  if (!slot) {
    slot = std::make_unique<Slot>();
    slot->seen = context_.slots->At(id).clock();
    slot->quorum.Rebase(slot->seen);
    slot->counted_for = context_.W(id);
  }
  if (noted_acks_.Has(id)) CountNoted(id, slot.get());
  if (!slot->known_targets) RefreshTargets(id, slot.get());
  return *slot;
}

void Coordinator::Submit(Request&& request, Callback&& done, bool may_hand_over) {
  ++pending_;
  Waiting& waiting = arrived_.emplace_back();
  waiting.request = std::move(request);
  waiting.done = std::move(done);
  waiting.may_hand_over = may_hand_over;
}

void Coordinator::TakeArrived() {
  if (arrived_.empty()) return;
  for (size_t place = 0; place < arrived_.size(); ++place) {
    PrefetchArrived(place);
    Enqueue(std::move(arrived_[place]));
  }
  ConcludeArrived();
  arrived_.clear();
}

// What the commands a few places behind this one will need.
void Coordinator::PrefetchArrived(size_t place) {
  if (place + kPrefetchPlaceAhead < arrived_.size())
    PrefetchPlace(arrived_[place + kPrefetchPlaceAhead].request.slot);
  if (place + kPrefetchAhead < arrived_.size()) {
    Waiting& waiting = arrived_[place + kPrefetchAhead];
    PrefetchSlot(waiting.request.slot);
    waiting.row_hint = context_.executor->Prefetch(waiting.request, *context_.store);
  }
  if (place + kPrefetchQueuesAhead < arrived_.size()) {
    const Waiting& waiting = arrived_[place + kPrefetchQueuesAhead];
    PrefetchQueues(waiting.request.slot);
    if (waiting.row_hint != 0) context_.store->PrefetchRow(waiting.row_hint);
  }
}

void Coordinator::Enqueue(Waiting&& waiting) {
  const Request& request = waiting.request;
  const SlotId id = request.slot;
  Slot& slot = At(id);
  if (slot.has_unapplied && !ORRERY_MUTATION("commands-run-on-unapplied-rows")) ConcludeArrived();
  if (!Admit(&slot, &waiting)) return;
  waiting.begun_us = request.sent_ms == 0 ? turn_us_ : std::min(turn_us_, request.sent_ms * 1000);
  waiting.deadline_us = turn_us_ + context_.TimeoutUs(request);
  if (request.traits.reads) {
    waiting.reads_needed = context_.R(id, request.read_quorum) - 1;
    if (waiting.reads_needed > 0 && !HasEntryAnswered(slot, waiting)) WantProbe(&slot, &waiting);
  }
  busy_.Insert(id);
  if (slot.queue.empty() && waiting.probe_id == 0 && disk_error_.empty()) {
    // What waits for nobody runs at once, while its slot is at hand.
    if (!parked_.empty() || !waiting.request.place.empty()) turn_.Insert(id);
    if (TryHandOver(id, &slot, &waiting)) return NoteDone(id, slot);
    if (CanRun(id, &slot, waiting)) return ExecuteArrived(id, &slot, std::move(waiting));
  }
  const bool only_waits = waiting.probe_id != 0 && slot.ready && !catch_up_.Merging(id);
  slot.queue.push_back(std::move(waiting));
  if (!only_waits) {
    turn_.Insert(id);
  } else if (slot.probe_wanted) {
    SendProbes(id, &slot);
  }
}

// Whether it says that it is, and is one for us.
bool Coordinator::IsEntryAHome(const Slot& slot, const Request& request) {
  if (request.entry_count == 0) return false;
  const Target* entry = slot.targets.FindOther(request.entry);
  return entry != nullptr && !entry->pending && !entry->is_fallback();
}

// A home that forwards a command has said with it whether anything has come to it that we may lack, since its
// client sent the command: just what it would answer if we asked.
bool Coordinator::HasEntryAnswered(const Slot& slot, const Waiting& waiting) const {
  const Request& request = waiting.request;
  if (waiting.reads_needed > 1 || !IsEntryAHome(slot, request)) return false;
  if (slot.quorum.CurrentUnder(request.entry) != request.entry_count &&
      !ORRERY_MUTATION("entries-count-as-current"))
    return false;
  ORRERY_MARK("quorum read answered by the node that forwarded it");
  ++context_.stats.probes_spared;
  return true;
}

// One probe does for all commands of a turn: it leaves when the turn ends.
void Coordinator::WantProbe(Slot* slot, Waiting* waiting) {
  if (waiting->request.entry_count != 0) slot->ask_first = waiting->request.entry;
  if (slot->probed_turn == turn_number_ && slot->probed_count >= waiting->reads_needed) {
    waiting->probe_id = slot->next_probe - 1;
    return;
  }
  waiting->probe_id = slot->next_probe;
  slot->probe_wanted = true;
}

// Whether commands of the slot wait for anything is kept in busy_.
void Coordinator::NoteDone(SlotId id, const Slot& slot) {
  if (slot.queue.empty() && slot.replies.empty()) busy_.Erase(id);
}

// The slot's seat went to another home while the command was on its way here, or waited for its turn: nothing
// was applied. Another node's is given back, so that no two nodes with different views play it to each other.
bool Coordinator::SendOn(Waiting* waiting) {
  const NodeId coordinator = CoordinatorInReach(context_, waiting->request.slot);
  if (!coordinator || !context_.IsHome(waiting->request.slot, coordinator)) return false;
  if (waiting->request.sent_ms != 0) {
    ORRERY_MARK("command given back by a node whose seat is another's");
    Refuse(Outcome::kNotHere, "", std::move(waiting->done));
    return true;
  }
  if (!pass_on_) return false;
  ORRERY_MARK("command of an own client passed on when its turn came");
  moved_on_.emplace_back(std::move(waiting->request), std::move(waiting->done));
  return true;
}

void Coordinator::PassOn(Request&& request, Callback&& done) {
  --pending_;
  pass_on_(std::move(request), std::move(done));
}

void Coordinator::PassOnMoved() {
  if (moved_on_.empty()) return;
  for (auto& [request, done] : std::exchange(moved_on_, {})) PassOn(std::move(request), std::move(done));
}

// Refuses, before anything is applied, what cannot reach its quorum now.
bool Coordinator::Admit(Slot* slot, Waiting* waiting) {
  const Request& request = waiting->request;
  Callback* const done = &waiting->done;
  const Targets& targets = slot->targets;
  if (!targets.we_are_home && SendOn(waiting)) return false;
  if (!targets.we_are_home && (targets.homes_in_reach > 0 || !request.traits.blind)) {
    ++context_.stats.cluster_down;
    Refuse(Outcome::kClusterDown, "no home of the slot is in reach", std::move(*done));
    return false;
  }
  if (!targets.we_are_home && context_.slots->At(request.slot).clock().Get(context_.self) < slot->made) {
    // What we made as a home is gone from here with the seat: our next event would follow nothing.
    ORRERY_MARK("coordinator that gave its seat away does not stand in");
    ++context_.stats.cluster_down;
    Refuse(Outcome::kClusterDown, "no home of the slot is in reach", std::move(*done));
    return false;
  }
  if (context_.slots->At(request.slot).clock().IsClosed(context_.self)) {
    // Our disk and clock were set back, so that we are in a life that everybody takes for over: what we made
    // would count as seen. Peers tell us of the later life when they greet, and we start anew.
    ORRERY_MARK("coordinator whose life is closed makes nothing");
    ++context_.stats.cluster_down;
    Refuse(Outcome::kClusterDown, "this node has to start anew", std::move(*done));
    return false;
  }
  if (request.traits.writes && targets.we_stand_for && hints_.full()) {
    ORRERY_MARK("coordinator that is no home has no room for hints");
    ++context_.stats.no_replicas;
    Refuse(Outcome::kNoReplicas, "", std::move(*done));
    return false;
  }
  if (request.traits.writes && targets.participants() < context_.W(request.slot, request.write_quorum)) {
    ++context_.stats.no_replicas;
    Refuse(Outcome::kNoReplicas, "", std::move(*done));
    return false;
  }
  if (request.traits.reads && targets.participants() < context_.R(request.slot, request.read_quorum)) {
    ++context_.stats.cluster_down;
    Refuse(Outcome::kClusterDown, "not enough nodes to read", std::move(*done));
    return false;
  }
  return true;
}

void Coordinator::Refuse(Outcome outcome, std::string why, Callback done) {
  Finish(std::move(done), {outcome, std::move(why)});
}

void Coordinator::Finish(Callback done, Response response) {
  --pending_;
  finished_.emplace_back(std::move(done), std::move(response));
}

void Coordinator::RunFinished() {
  while (!finished_.empty()) {
    auto finished = std::exchange(finished_, std::move(calling_));
    for (auto& [done, response] : finished) done(std::move(response));
    finished.clear();
    calling_ = std::move(finished);
  }
}

// ---- knowledge of peers ----

void Coordinator::OnAck(NodeId from, const AckMessage& ack) {
  if (slots_[ack.slot] == nullptr) return;
  // Whoever does not own a seat, or not any more, counts for nothing: the seat's owner does.
  if (!context_.IsHome(ack.slot, from)) return;
  const bool is_awaited = busy_.Contains(ack.slot) || ack.upto.actor != context_.self;
  if (!is_awaited && noted_acks_.Add(ack.slot, from, ack.upto.counter)) return;
  Slot* const slot = Find(ack.slot);
  slot->quorum.LearnDot(from, ack.upto);
  if (slot->quorum.all_settled() && slot->replies.empty()) return;
  // What this turn has applied is not committed yet; everything else was in an earlier turn.
  if (context_.slots->IsTouched(ack.slot)) return Changed(ack.slot);
  Release(ack.slot, slot);
  NoteDone(ack.slot, *slot);
}

// The seat may have gone to another home since. Of our own copies, those that this turn makes do not count
// yet.
void Coordinator::CountNoted(SlotId id, Slot* slot) {
  noted_acks_.Take(id, [&](NodeId home, uint64_t counter) {
    ORRERY_MARK("acknowledgement counted that nothing waited for");
    if (context_.IsHome(id, home)) slot->quorum.LearnDot(home, {context_.self, counter});
  });
  context_.slots->IsTouched(id) ? release_.Insert(id) : void(Settle(id, slot));
}

// The entry node of a bound reply, which has not got the event.
void Coordinator::OnCommitAsk(NodeId from, const CommitAskMessage& ask) {
  Slot* slot = Find(ask.slot);
  if (slot == nullptr || !slot->targets.we_are_home || ask.upto.actor != context_.self) return;
  const uint64_t committed =
      slot->quorum.base_settled() ? context_.slots->At(ask.slot).committed().Get(context_.self) : 0;
  if (committed != 0)
    context_.outbox->SendDurable(from, CommitTellMessage{ask.slot, {context_.self, committed}});
  if (committed >= ask.upto.counter) return;
  if (context_.clock->MonotonicUs() <= slot->probe_sent_us + context_.options.probe_patience_us) return;
  ORRERY_MARK("homes asked what they have for a reply that is bound elsewhere");
  slot->probe_wanted = true;
  slot->probe_everybody = true;
  Changed(ask.slot);
}

void Coordinator::OnHintAck(NodeId from, const HintAckMessage& ack) {
  Slot* slot = Find(ack.slot);
  if (slot == nullptr) return;
  if (ack.refused && !ORRERY_MUTATION("refused-hints-counted")) return TurnElsewhere(ack.slot, slot, from);
  slot->retry_pause_us = 0;
  slot->quorum.LearnHint(from, ack.home, ack.upto);
  Changed(ack.slot);
}

void Coordinator::OnPeerClock(NodeId peer, SlotId id, const SlotClock& clock) {
  Slot* slot = Find(id);
  if (slot == nullptr || !context_.IsHome(id, peer)) return;
  slot->quorum.LearnClock(peer, clock);
  Changed(id);
}

void Coordinator::OnLivesClosed(SlotId id, const EndedLives& lives) {
  Slot* slot = Find(id);
  if (slot == nullptr) return;
  SlotClock durable;
  durable.JoinCounters(lives.counters);
  for (const NodeId home : context_.Homes(id)) {
    if (home != context_.self.node) slot->quorum.LearnClock(home, durable);
  }
  Changed(id);
}

void Coordinator::OnSlotAdvanced(SlotId id) {
  Slot* slot = Find(id);
  if (slot == nullptr) return;
  const SlotClock& clock = context_.slots->At(id).clock();
  // Of each actor the newest event stands for all before it: copies are cumulative.
  for (const auto& entry : clock.counters().entries()) {
    if (slot->seen.Covers({entry.actor, entry.counter})) continue;
    const uint64_t sequence = slot->quorum.Saw({entry.actor, entry.counter});
    if (entry.actor != context_.self) slot->others_saw = sequence;
  }
  slot->seen = clock;
  slot->quorum.Recheck(clock);
  parked_.Touch(id);
  Changed(id);
}

bool Coordinator::IsIdle(SlotId id) const {
  const auto is_its = [id](const auto& bound) { return bound.first == id; };
  return slots_[id] == nullptr ||
         (slots_[id]->replies.empty() && std::none_of(bound_.begin(), bound_.end(), is_its));
}

void Coordinator::EndReply(Executed&& executed, const std::string& why) {
  const bool wrote = executed.own.counter != 0;
  ++(wrote ? context_.stats.unknown_outcomes : context_.stats.cluster_down);
  Finish(std::move(executed.done), {wrote ? Outcome::kUnknown : Outcome::kClusterDown, wrote ? "" : why});
}

void Coordinator::EndReplies(SlotId id, Slot* slot, const std::string& why) {
  for (Executed& executed : slot->replies) EndReply(std::move(executed), why);
  slot->replies.clear();
  for (auto& [bound_to, executed] : bound_) {
    if (bound_to == id) EndReply(std::move(executed), why);
  }
  std::erase_if(bound_, [id](const auto& bound) { return bound.first == id; });
}

// While a cluster grows to N nodes W grows with the slot's seats, and what was on W nodes is not any more:
// hints must not begin behind it, and no reply may rest on it.
void Coordinator::CountAnew(SlotId id, Slot* slot) {
  const size_t wanted = context_.W(id);
  if (std::exchange(slot->counted_for, wanted) >= wanted) return;
  ORRERY_MARK("a slot with more seats needs more copies of what it has");
  slot->quorum.Rebase(slot->seen);
}

void Coordinator::OnSeatsChanged(SlotId id) {
  Slot* slot = Find(id);
  if (slot == nullptr) return;
  if (!ORRERY_MUTATION("copies-of-fewer-seats-count")) CountAnew(id, slot);
  ForgetCounts(slot);
  const bool was_home = slot->targets.we_are_home;
  RefreshTargets(id, slot);
  if (was_home && !slot->targets.we_are_home) {
    // Our own copy was counted among the homes'.
    if (!slot->replies.empty()) ORRERY_MARK("reply waited for copies when its seat was somebody else's");
    EndReplies(id, slot, "the slot moved to another node");
  }
  const NodeId coordinator = CoordinatorInReach(context_, id);
  if (coordinator && coordinator != context_.self.node && pass_on_) {
    for (Waiting& waiting : slot->queue) {
      ORRERY_MARK("command passed on to the next owner of the seat");
      PassOn(std::move(waiting.request), std::move(waiting.done));
    }
    slot->queue.clear();
  }
  SendParkedAway();
  Changed(id);
}

void Coordinator::OnSlotReset(SlotId id) {
  Slot* slot = Find(id);
  if (slot == nullptr) return;
  if (!slot->replies.empty()) ORRERY_MARK("reply waited for copies when its slot was emptied");
  EndReplies(id, slot, "the slot's rows are damaged on this node and are being repaired");
  ForgetCounts(slot);
  slot->seen = context_.slots->At(id).clock();
  slot->quorum.Rebase(slot->seen);
  slot->ready = false;
  slot->ready_probe = 0;
  if (!slot->queue.empty()) AskEverybody(slot);
  OnSlotAdvanced(id);
}

}  // namespace orrery::replication

// The coordinator's turns: commands that wait are looked at, replies leave at the commit point, deadlines
// pass.

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/replication/coordinator.h"

namespace orrery::replication {

void Coordinator::PrefetchSlot(SlotId id) const {
  PrefetchBytes(slots_[id].get(), Slot::kHotBytes);
  PrefetchBytes(context_.slots->Find(id), SlotReplica::kHotBytes);
}

// The same for a walk over the slots of the turn.
void Coordinator::PrefetchTurn(size_t place) const {
  if (place + kPrefetchPlaceAhead < turn_.size()) PrefetchPlace(turn_[place + kPrefetchPlaceAhead]);
  if (place + kPrefetchAhead < turn_.size()) {
    const SlotId id = turn_[place + kPrefetchAhead];
    PrefetchSlot(id);
  }
  if (place + kPrefetchQueuesAhead < turn_.size()) {
    const SlotId id = turn_[place + kPrefetchQueuesAhead];
    PrefetchQueues(id);
    const Slot* slot = slots_[id].get();
    if (slot == nullptr || slot->queue.empty()) return;
    // It was asked for when the command came, which may be some turns ago.
    context_.store->PrefetchAgain(slot->queue.front().row_hint);
  }
  if (place + 1 < turn_.size()) {
    const Slot* slot = slots_[turn_[place + 1]].get();
    if (slot != nullptr && !slot->queue.empty()) context_.store->PrefetchRow(slot->queue.front().row_hint);
  }
}

void Coordinator::PrefetchQueues(SlotId id) const {
  if (const Slot* slot = slots_[id].get()) slot->quorum.Prefetch();
  if (const SlotReplica* replica = context_.slots->Find(id)) replica->backlog().Prefetch();
}

void Coordinator::BeforeCommit() {
  BeginTurn();
  TakeArrived();
  // By place: running a command may add slots.
  for (size_t place = 0; place < turn_.size(); ++place) {
    const SlotId id = turn_[place];
    PrefetchTurn(place);
    Slot& slot = At(id);
    slot.quorum.Recheck(context_.slots->At(id).clock());
    RunQueue(id, &slot);
    CallParked(id, &slot);
    SendProbes(id, &slot);
    NoteDone(id, slot);
  }
  turn_.Clear();
  turn_probes_.Send(static_cast<uint16_t>(context_.options.loop_index),
                    static_cast<uint16_t>(context_.options.loop_count), turn_us_, context_.outbox);
  turn_begun_ = false;
  ++turn_number_;
  PassOnMoved();
}

// All commands of a turn run at one instant.
void Coordinator::BeginTurn() {
  if (std::exchange(turn_begun_, true)) return;
  turn_us_ = context_.clock->MonotonicUs();
  turn_ms_ = context_.clock->WallMs();
}

void Coordinator::RunAnswered(SlotId id, Slot* slot) {
  BeginTurn();
  RunQueue(id, slot);
  NoteDone(id, *slot);
  // What else the slot may need is seen to with the rest of the turn.
  if (slot->probe_wanted || !parked_.empty()) turn_.Insert(id);
}

void Coordinator::RunQueue(SlotId id, Slot* slot) {
  while (!slot->queue.empty()) {
    Waiting& front = slot->queue.front();
    // The quorum may have gone while the command waited: nothing is applied yet, so it may still be refused.
    if (!Admit(slot, &front)) {
      slot->queue.pop_front();
      continue;
    }
    if (TryHandOver(id, slot, &front)) {
      slot->queue.pop_front();
      continue;
    }
    if (!CanRun(id, slot, front)) return;
    Waiting head = std::move(slot->queue.front());
    slot->queue.pop_front();
    Execute(id, slot, std::move(head));
  }
}

void Coordinator::AfterCommit() {
  release_.TakeInto(&taken_);
  for (SlotId id : taken_) {
    Slot& slot = At(id);
    Release(id, &slot);
    NoteDone(id, slot);
  }
  for (auto& [id, executed] : bound_) {
    NoteTook(executed.begun_us);
    Finish(std::move(executed.done), std::move(executed.response));
  }
  bound_.clear();
  RunFinished();
}

void Coordinator::NoteTook(uint64_t begun_us) {
  if (!context_.pace.is_moving()) return;
  const uint64_t now_us = context_.clock->MonotonicUs();
  context_.pace.NoteForeground(now_us - std::min(now_us, begun_us));
}

bool Coordinator::PrefetchNotes(SlotId id) const {
  if (busy_.Contains(id)) return false;
  noted_acks_.Prefetch(id);
  context_.seats.PrefetchOwners(id);
  return true;
}

// Finds out what is on W nodes, and with it the commit point.
uint64_t Coordinator::Settle(SlotId id, Slot* slot) {
  size_t wanted = context_.W(id);
  if (ORRERY_MUTATION("one-copy-too-few") && wanted > 1) --wanted;
  const uint64_t settled = slot->quorum.Settle(wanted);
  SlotReplica& replica = context_.slots->At(id);
  if (slot->quorum.base_settled()) {
    uint64_t own = replica.clock().Get(context_.self);
    const uint64_t unsettled = slot->quorum.OldestUnsettled(context_.self);
    if (unsettled != 0 && !ORRERY_MUTATION("commit-point-too-high")) own = std::min(own, unsettled - 1);
    replica.committed().Raise(context_.self, own);
  }
  return settled;
}

void Coordinator::Release(SlotId id, Slot* slot) {
  const uint64_t settled = Settle(id, slot);
  for (auto it = slot->replies.begin(); it != slot->replies.end();) {
    if (!MayLeave(id, *slot, *it, settled)) {
      if (it->write_quorum == 0) break;
      ++it;
      continue;
    }
    NoteTook(it->begun_us);
    Finish(std::move(it->done), std::move(it->response));
    it = slot->replies.erase(it);
  }
}

bool Coordinator::MayLeave(SlotId id, const Slot& slot, const Executed& executed, uint64_t settled) const {
  if (ORRERY_MUTATION("no-commit-point")) {
    return executed.own.counter == 0 || slot.quorum.OtherCopies(executed.own) + 1 >= context_.W(id);
  }
  if (executed.saw > settled) return false;
  return executed.write_quorum == 0 || slot.quorum.OtherCopies(executed.own) + 1 >= executed.write_quorum;
}

void Coordinator::CommitFailed(const std::string& why) {
  disk_error_ = why;
  for (auto& [id, executed] : std::exchange(bound_, {})) EndReply(std::move(executed), why);
  TakeArrived();
  for (auto& [request, done] : std::exchange(moved_on_, {})) Refuse(Outcome::kDiskError, why, std::move(done));
  for (SlotId id : busy_.slots()) {
    Slot& slot = At(id);
    for (Executed& executed : slot.replies) {
      const bool wrote = executed.own.counter != 0;
      if (wrote) ++context_.stats.unknown_outcomes;
      Finish(std::move(executed.done), {wrote ? Outcome::kUnknown : Outcome::kClusterDown, wrote ? "" : why});
    }
    for (Waiting& waiting : slot.queue) Refuse(Outcome::kDiskError, why, std::move(waiting.done));
    slot.replies.clear();
    slot.queue.clear();
  }
  for (SlotId id : parked_.slots()) {
    for (Callback& done : parked_.LeaveAll(id)) {
      ++pending_;
      Refuse(Outcome::kDiskError, why, std::move(done));
    }
  }
  busy_.Clear();
  turn_.Clear();
  release_.Clear();
  RunFinished();
}

void Coordinator::OnTick(uint64_t now_us) {
  ExpireParked(now_us);
  RetryRefused(now_us);
  for (const SlotId id : noted_acks_.Old(now_us)) Find(id);
  const std::vector<SlotId> busy = busy_.slots();
  for (SlotId id : busy) {
    Slot& slot = At(id);
    Expire(&slot, now_us);
    if (now_us > slot.probe_sent_us + context_.options.probe_patience_us) AskEverybody(&slot);
    Changed(id);
  }
  RunFinished();
}

// Whoever was asked does not answer, yet is not known to be away; or something that we have seen is on too few nodes, and
// no acknowledgement is on its way: all who take part say what they have, and get what they lack.
void Coordinator::AskEverybody(Slot* slot) {
  for (Waiting& waiting : slot->queue) {
    if (waiting.reads_needed != 0) waiting.probe_id = slot->next_probe;
  }
  if (!slot->ready) slot->ready_probe = slot->next_probe;
  slot->probe_wanted = true;
  slot->probe_everybody = true;
}

void Coordinator::Expire(Slot* slot, uint64_t now_us) {
  while (!slot->replies.empty() && slot->replies.front().deadline_us <= now_us) {
    EndReply(std::move(slot->replies.front()), "what was read is not known to be on enough nodes");
    slot->replies.pop_front();
  }
  while (!slot->queue.empty() && slot->queue.front().deadline_us <= now_us) {
    ++context_.stats.cluster_down;
    Refuse(Outcome::kClusterDown, "no quorum answered in time", std::move(slot->queue.front().done));
    slot->queue.pop_front();
  }
}

}  // namespace orrery::replication

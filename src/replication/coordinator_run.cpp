// The coordinator's way from a queued command to its reply: execution, replication, commit point, deadlines.

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/replication/coordinator.h"

namespace orrery::replication {

using causality::Event;
using causality::EventPtr;
using causality::SlotClock;

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

storage::Transaction Coordinator::Begin(SlotId id, const Slot& slot) {
  SlotReplica& replica = context_.slots->At(id);
  context_.hybrid->ObserveStored(replica.newest());
  return storage::Transaction(
      *context_.store,
      {id, &replica.clock(), {context_.self, replica.clock().Get(context_.self) + 1}, context_.hybrid->Next(turn_ms_),
       turn_ms_, ORRERY_MUTATION("birth-continued-after-a-cut") ? 0 : slot.birth_floor, replica.collection_rows() > 0,
       this});
}

// Asked only where there is something to fold.
storage::FoldRule::Foldable Coordinator::FoldableIn(SlotId id) const {
  const SlotReplica* replica = context_.slots->Find(id);
  const Slot* slot = slots_[id].get();
  if (replica == nullptr || slot == nullptr || !context_.IsHome(id)) return {};
  const causality::Actor& self = context_.self;
  Foldable foldable{replica->clock().Get(self), replica->clock().FloorOf(self.node) == self.incarnation};
  for (const NodeId home : context_.Homes(id)) {
    if (home == self.node) continue;
    foldable.births_everywhere = std::min(foldable.births_everywhere, slot->quorum.KnownOf(home, self));
    foldable.closed_lives =
        foldable.closed_lives && slot->quorum.FloorKnownOf(home, self.node) >= self.incarnation;
  }
  return foldable;
}

void Coordinator::Execute(SlotId id, Slot* slot, Waiting&& waiting) {
  Ran ran;
  if (Run(id, slot, std::move(waiting), &ran)) Conclude(&ran);
}

// Some commands of a turn run, and then what they made is applied: each half of the way fits the processor's
// instruction cache, both together do not. A command that meets one of its own slot waits for that.
void Coordinator::ExecuteArrived(SlotId id, Slot* slot, Waiting&& waiting) {
  Ran& ran = ran_.emplace_back();
  const bool has_run = Run(id, slot, std::move(waiting), &ran);
  const bool may_wait = has_run && ran.status.ok() && ran.changed && !slot->targets.we_stand_for &&
                        ran.step_bytes < ShardContext::kLongStepBytes;
  if (may_wait) {
    slot->has_unapplied = true;
    if (ran_.size() == kRunTogether) ConcludeArrived();
    return;
  }
  if (has_run) Conclude(&ran);
  NoteDone(id, *slot);
  ran_.pop_back();
}

void Coordinator::ConcludeArrived() {
  for (Ran& ran : ran_) {
    ran.slot->has_unapplied = false;
    Conclude(&ran);
    NoteDone(ran.id, *ran.slot);
  }
  ran_.clear();
}

bool Coordinator::Run(SlotId id, Slot* slot, Waiting&& waiting, Ran* ran) {
  const Request& request = waiting.request;
  const auto refuse = [&](Outcome outcome, const std::string& why) {
    Refuse(outcome, why, std::move(waiting.done));
    return false;
  };
  if (request.traits.writes && !disk_error_.empty()) return refuse(Outcome::kDiskError, disk_error_);
  if (context_.IsStale(request)) {
    ORRERY_MARK("forwarded request too old to run");
    return refuse(Outcome::kNotHere, "");
  }
  if (!request.place.empty()) {
    FinishParked(parked_.Leave(id, request.place), {});
    if (request.traits.parks) return Park(std::move(waiting)), false;
    waiting.request.holds = &parked_;
  }
  storage::Transaction transaction = Begin(id, *slot);
  for (const auto& [row_key, bytes] : request.attachments) {
    causality::Row row;
    if (!causality::DecodeRow(bytes, &row))
      return refuse(Outcome::kClusterDown, "malformed rows of another slot");
    transaction.Attach(row_key, std::move(row));
  }
  Executed& executed = ran->executed;
  const size_t bytes = request.args.bytes();
  ran->id = id;
  ran->slot = slot;
  ran->step_bytes = slot->large_values > 0 ? ShardContext::kLongStepBytes : bytes;
  context_.RunStep(ran->step_bytes,
                   [&] { context_.executor->Execute(request, &transaction, &executed.response.reply); });
  ran->bytes = bytes + executed.response.reply.size();
  context_.NoteWork(ran->bytes);
  executed.done = std::move(waiting.done);
  executed.begun_us = waiting.begun_us;
  executed.deadline_us = waiting.deadline_us;
  executed.saw = slot->quorum.last_seen();
  ran->has_own_timeout = request.timeout_ms != 0;
  ran->entry_is_home = IsEntryAHome(*slot, request);
  ran->status = transaction.status();
  if (!ran->status.ok() || !transaction.changed()) return true;
  executed.write_quorum = request.write_quorum != 0 ? context_.W(id, request.write_quorum) : 0;
  ran->event = transaction.TakeEvent(&ran->rows);
  ran->changed = true;
  return true;
}

void Coordinator::Conclude(Ran* ran) {
  const SlotId id = ran->id;
  Slot* const slot = ran->slot;
  Executed& executed = ran->executed;
  Status status = ran->status;
  if (status.ok() && ran->changed) {
    status = Commit(ran);
    // A few bytes may have changed a large value.
    if (!ran->has_own_timeout) executed.deadline_us += ShardContext::TransportUs(executed.event_bytes);
  }
  if (!status.ok()) return Fail(status, ran);
  NoteLarge(ran->bytes + executed.event_bytes, slot);
  if (ShowsNothingNew(id, *slot, executed))
    return Finish(std::move(executed.done), std::move(executed.response));
  if (MayBind(*ran)) {
    executed.response.after = context_.slots->At(id).clock().Get(context_.self);
    bound_.emplace_back(id, std::move(executed));
    return;
  }
  LookAfterCommit(id, slot, executed);
  slot->replies.push_back(std::move(executed));
}

void Coordinator::Fail(const Status& status, Ran* ran) {
  Executed& executed = ran->executed;
  NoteDone(ran->id, *ran->slot);
  if (status.code() == StatusCode::kRefused)
    return Finish(std::move(executed.done), {Outcome::kReply, status.message()});
  const bool wrote = executed.own.counter != 0;
  wrote ? catch_up_.OnHalfDone(ran->id, status) : catch_up_.OnCorruption(ran->id, status);
  Refuse(wrote ? Outcome::kUnknown : Outcome::kClusterDown,
         "the slot's rows are damaged on this node and are being repaired", std::move(executed.done));
}

// Commands with few words may read and write large values. Those of a slot that has one are taken to, for some time.
void Coordinator::NoteLarge(size_t bytes, Slot* slot) {
  constexpr int kCommands = 100;
  if (bytes >= ShardContext::kLongStepBytes) {
    slot->large_values = kCommands;
  } else if (slot->large_values > 0) {
    --slot->large_values;
  }
}

// What it saw is all on W nodes, and here it was committed in an earlier turn.
bool Coordinator::ShowsNothingNew(SlotId id, const Slot& slot, const Executed& executed) const {
  return executed.own.counter == 0 && slot.replies.empty() && slot.quorum.all_settled() &&
         !context_.slots->IsTouched(id);
}

// With two copies the node that forwarded the command, if it is a home, need not hear from us that there are
// two: its own copy of what was seen here is the second one. That it has what others made is not said by its
// having what we made.
bool Coordinator::MayBind(const Ran& ran) const {
  const Slot& slot = *ran.slot;
  if (!ran.entry_is_home || ran.executed.write_quorum != 0 || context_.W(ran.id) != 2) return false;
  if (slot.quorum.all_settled()) return false;  // it waits for the commit here, and for nobody else
  if (!slot.quorum.base_settled() || slot.quorum.settled() < slot.others_saw) return false;
  return slot.targets.we_are_home && context_.slots->At(ran.id).clock().Get(context_.self) != 0;
}

// A reply that waits for other nodes is looked at when they answer, not before.
void Coordinator::LookAfterCommit(SlotId id, Slot* slot, const Executed& executed) {
  const bool waits = !slot->quorum.all_settled() && executed.write_quorum == 0 && context_.W(id) > 1;
  if (!waits) release_.Insert(id);
}

// What other nodes could not take must not be here either.
Status Coordinator::CheckSizes(const causality::EncodedEvent* event,
                               const std::vector<storage::RowUpdate>& rows) const {
  if (event != nullptr && event->bytes.size() > context_.options.event_bytes_max) {
    ORRERY_MARK("event too large");
    return Status::Refused(TooLarge("what the command writes", context_.options.event_bytes_max).reply);
  }
  for (const storage::RowUpdate& row : rows) {
    size_t bytes = 0;
    for (const causality::Cell& cell : row.after.cells) bytes += cell.payload.size();
    if (bytes <= context_.options.row_bytes_max) continue;
    ORRERY_MARK("row too large");
    return Status::Refused(TooLarge("the value with its siblings", context_.options.row_bytes_max).reply);
  }
  return Status::Ok();
}

Status Coordinator::Commit(Ran* ran) {
  const SlotId id = ran->id;
  Slot* const slot = ran->slot;
  const Event& event = ran->event;
  Executed* const executed = &ran->executed;
  // Whoever joins copies the slot: nobody will ever ask for what happened before.
  const bool alone = context_.view->members.size() == 1 && slot->targets.others.empty() && !context_.options.lone_backlog;
  EventPtr encoded;
  Status status;
  context_.RunStep(ran->step_bytes, [&] {
    if (!alone) encoded = causality::MakeEventPtr(event);
    status = CheckSizes(encoded.get(), ran->rows);
    if (!status.ok()) return;
    executed->own = event.dot;
    status = context_.slots->ApplyOwn(event, ran->rows, encoded);
  });
  if (!status.ok()) return status;
  if (encoded != nullptr) executed->event_bytes = encoded->bytes.size();
  context_.NoteWork(executed->event_bytes);
  ++context_.stats.events_made;
  parked_.Touch(id);
  const uint64_t sequence = slot->quorum.Saw(event.dot);
  slot->seen.Advance(event.dot);
  slot->made = event.dot.counter;
  // With its own W, a write waits for its own event separately; what it saw before waits for the slot's.
  if (executed->write_quorum == 0) executed->saw = sequence;
  if (!alone) Replicate(id, slot, encoded);
  return Status::Ok();
}

void Coordinator::Replicate(SlotId id, Slot* slot, const EventPtr& event) {
  const uint64_t committed = context_.slots->At(id).committed().Get(context_.self);
  for (const Target& target : slot->targets.others) {
    context_.NoteWork(event->bytes.size());
    if (!target.is_fallback()) {
      context_.outbox->Send(target.node, EventMessage{committed, event});
      continue;
    }
    const uint64_t since = HintsBegin(id, *slot, target.home, context_.self);
    context_.outbox->Send(target.node, HintMessage{target.home, since, event});
  }
  if (!slot->targets.we_stand_for) return;
  ORRERY_MARK("coordinator that is no home");
  if (ORRERY_MUTATION("own-hints-not-kept")) return;
  const Status kept = hints_.Keep(*slot->targets.we_stand_for, event);
  if (!kept.ok() && context_.log) context_.log("cannot keep own hint: " + kept.message());
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

void Coordinator::Release(SlotId id, Slot* slot) {
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

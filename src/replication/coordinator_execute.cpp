// How the coordinator executes a command: it runs, and what it made is applied, counted and sent to the other
// homes.

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/replication/coordinator.h"

namespace orrery::replication {

using causality::EventPtr;

storage::Transaction Coordinator::Begin(SlotId id, const Slot& slot) {
  SlotReplica& replica = context_.slots->At(id);
  context_.hybrid->ObserveStored(replica.newest());
  return storage::Transaction(*context_.store,
                              {id,
                               &replica.clock(),
                               {context_.self, replica.clock().Get(context_.self) + 1},
                               context_.hybrid->Next(turn_ms_),
                               turn_ms_,
                               ORRERY_MUTATION("birth-continued-after-a-cut") ? 0 : slot.birth_floor,
                               replica.collection_rows() > 0,
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

// Commands with few words may read and write large values. Those of a slot that has one are taken to, for
// some time.
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
  const causality::Event& event = ran->event;
  Executed* const executed = &ran->executed;
  // Whoever joins copies the slot: nobody will ever ask for what happened before.
  const bool alone =
      context_.view->members.size() == 1 && slot->targets.others.empty() && !context_.options.lone_backlog;
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

}  // namespace orrery::replication

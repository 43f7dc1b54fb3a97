#include "orrery/replication/slot_table.h"

namespace orrery::replication {

SlotReplica& SlotTable::At(SlotId slot) {
  auto& entry = slots_[slot];
  if (!entry) {
    entry = std::make_unique<SlotReplica>(slot, store_, observer_);
    known_.insert(slot);
  }
  return *entry;
}

Status SlotTable::LoadOne(SlotId slot, std::vector<SlotId>* corrupt) {
  auto replica = std::make_unique<SlotReplica>(slot, store_, observer_);
  const Status status = replica->Load();
  if (status.code() == StatusCode::kCorruption) {
    corrupt->push_back(slot);
  } else if (!status.ok()) {
    return status;
  }
  if (status.ok() && replica->clock().empty()) return Status::Ok();
  journal_.StartAfter(replica->state_as_of());
  slots_[slot] = std::move(replica);
  known_.insert(slot);
  return Status::Ok();
}

Status SlotTable::Apply(const causality::Event& event, const causality::EventPtr& encoded) {
  Touch(event.slot);
  const Status status = At(event.slot).Apply(event, encoded);
  if (status.ok()) {
    budget_.Added(event.slot, encoded->bytes.size());
  } else {
    At(event.slot).NoteHalfApplied(event);
  }
  return status;
}

void SlotTable::SetAside(SlotId slot) {
  Touch(slot);
  size_t bytes = 0;
  for (const auto& event : At(slot).backlog().All()) bytes += event->bytes.size();
  At(slot).SetAside();
  budget_.Forget(slot, bytes);
}

void SlotTable::CloseLives(SlotId slot, const EndedLives& lives) {
  Touch(slot);
  for (const auto& span : lives.spans) At(slot).CloseLives(span.node, span.to);
}

void SlotTable::Drop(SlotId slot) {
  Touch(slot);
  size_t bytes = 0;
  for (const auto& event : At(slot).backlog().All()) bytes += event->bytes.size();
  At(slot).Reset();
  if (bytes > 0) budget_.Forget(slot, bytes);
}

Status SlotTable::Replay(SlotId slot, const std::vector<causality::EventPtr>& events) {
  SlotReplica& replica = At(slot);
  for (const auto& encoded : events) {
    const SlotReplica::Fit fit = replica.Classify(encoded->dot);
    causality::Event event;
    if (fit == SlotReplica::Fit::kGap || !causality::DecodeEvent(encoded->bytes, &event)) continue;
    if (fit == SlotReplica::Fit::kNext) {
      if (Status s = Apply(event, encoded); !s.ok()) return s;
      continue;
    }
    replica.backlog().Append(encoded);
    budget_.Added(slot, encoded->bytes.size());
  }
  return Status::Ok();
}

Status SlotTable::ApplyOwn(const causality::Event& event, const std::vector<storage::RowUpdate>& rows,
                           const causality::EventPtr& encoded) {
  if (!event.scopes.empty()) return Apply(event, encoded);
  Touch(event.slot);
  const Status status = At(event.slot).ApplyOwn(event, rows, encoded);
  if (status.ok()) {
    budget_.Added(event.slot, encoded->bytes.size());
  } else {
    At(event.slot).NoteHalfApplied(event);
  }
  return status;
}

void SlotTable::SaveTouched(std::vector<SlotId>* touched) {
  touched_.TakeInto(touched);
  dirty_.clear();
  for (SlotId slot : *touched) {
    if (At(slot).TakeDirty()) dirty_.push_back(slot);
  }
  journal_.Save(dirty_, [this](SlotId slot) { return At(slot).State(); });
}

void SlotTable::TrimBacklogs(const causality::Actor& self) {
  budget_.Trim([&](SlotId slot) -> size_t {
    SlotReplica* replica = Find(slot);
    if (replica == nullptr || replica->backlog().empty()) return 1;
    const causality::Dot& oldest = replica->backlog().Oldest()->dot;
    const bool must_stay = oldest.actor == self && oldest.counter > replica->committed().Get(self);
    return must_stay ? 0 : replica->backlog().DropOldest();
  });
}

}  // namespace orrery::replication

#include "orrery/replication/slot_table.h"

#include <algorithm>

#include "orrery/storage/row_key.h"

namespace orrery::replication {

namespace {

// The memory in which events are decoded; that of a larger one goes with it.
constexpr size_t kEventBytesKept = 4096;

}  // namespace

SlotReplica& SlotTable::At(SlotId slot) {
  auto& entry = slots_[slot];
  if (!entry) {
    entry = std::make_unique<SlotReplica>(slot, store_, observer_);
    known_.insert(slot);
  }
  return *entry;
}

SlotTable::StoredStates::StoredStates(const storage::RowStore& store) {
  const auto cursor = store.Scan(storage::Table::kSlots, {});
  for (; cursor->Valid() && end_ < kSlotCount; cursor->Next()) {
    const std::string_view key = cursor->key();
    const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(key[i])); };
    const uint32_t slot = key.size() < storage::kSlotPrefixBytes ? 0 : byte(0) << 8 | byte(1);
    if (key.size() == storage::kSlotPrefixBytes && slot < kSlotCount) {
      states_.emplace_hint(states_.end(), static_cast<SlotId>(slot), cursor->value());
    }
    end_ = std::min<uint32_t>(slot + 1, kSlotCount);
  }
  if (cursor->status().ok()) end_ = kSlotCount;
}

const std::string* SlotTable::StoredStates::Find(SlotId slot) const {
  const auto found = states_.find(slot);
  return found == states_.end() ? nullptr : &found->second;
}

Status SlotTable::LoadOne(SlotId slot, const StoredStates& states, const SlotLoss* loss,
                          std::vector<std::pair<SlotId, Status>>* corrupt) {
  const std::string* state = states.IsKnown(slot) ? states.Find(slot) : nullptr;
  if (state == nullptr && states.IsKnown(slot) && loss == nullptr) return Status::Ok();
  auto replica = std::make_unique<SlotReplica>(slot, store_, observer_);
  Status status = state != nullptr ? replica->LoadFrom(*state) : replica->Load();
  if (!status.ok() && status.code() != StatusCode::kCorruption) return status;
  if (loss != nullptr) {
    if (Status lost = replica->NoteLoss(*loss); !lost.ok()) status = std::move(lost);
  }
  if (!status.ok()) corrupt->emplace_back(slot, status);
  // Also of a slot that was dropped: records that are numbered below its state would not count.
  journal_.StartAfter(replica->state_as_of());
  if (status.ok() && replica->clock().empty()) return Status::Ok();
  slots_[slot] = std::move(replica);
  known_.insert(slot);
  return Status::Ok();
}

Status SlotTable::Apply(const causality::Event& event, const causality::EventPtr& encoded, NodeId by) {
  // What a node passes on it may not have in its own clock: hints that it kept before it became a home.
  Touch(event.slot, event.dot.actor.node == by ? by : NodeId());
  const Status status = At(event.slot).Apply(event, encoded);
  if (status.ok()) {
    if (encoded != nullptr) budget_.Added(event.slot, encoded->bytes.size());
  } else {
    At(event.slot).NoteHalfApplied(event);
  }
  return status;
}

Status SlotTable::Apply(const causality::EventPtr& encoded, NodeId by) {
  const auto replacement = causality::ReplacementIn(encoded->bytes);
  if (replacement && At(encoded->slot).TryReplace(*replacement, encoded)) {
    Touch(encoded->slot, encoded->dot.actor.node == by ? by : NodeId());
    budget_.Added(encoded->slot, encoded->bytes.size());
    return Status::Ok();
  }
  if (encoded->bytes.size() <= kEventBytesKept) return DecodeAndApply(encoded, by, &event_);
  causality::Event event;
  return DecodeAndApply(encoded, by, &event);
}

Status SlotTable::DecodeAndApply(const causality::EventPtr& encoded, NodeId by, causality::Event* memory) {
  if (!causality::DecodeEvent(encoded->bytes, memory)) return Status::Invalid("malformed event");
  return Apply(*memory, encoded, by);
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
    if (fit == SlotReplica::Fit::kGap) continue;
    if (fit == SlotReplica::Fit::kNext) {
      if (Status s = Apply(encoded); !s.ok() && s.code() != StatusCode::kInvalid) return s;
      continue;
    }
    causality::Event event;
    if (!causality::DecodeEvent(encoded->bytes, &event)) continue;
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
    if (encoded != nullptr) budget_.Added(event.slot, encoded->bytes.size());
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
  journal_.Save(dirty_, [this](SlotId slot, std::string* bytes) { At(slot).AppendState(bytes); });
}

void SlotTable::TrimBacklogs(const causality::Actor& self, const std::function<void(SlotId)>& count_copies) {
  const auto drop = [&](SlotId slot) -> size_t {
    SlotReplica* replica = Find(slot);
    if (replica == nullptr || replica->backlog().empty()) return 1;
    const causality::Dot& oldest = replica->backlog().Oldest()->dot;
    const auto must_stay = [&] {
      return oldest.actor == self && oldest.counter > replica->committed().Get(self);
    };
    if (must_stay()) {
      count_copies(slot);
      if (must_stay()) return 0;
    }
    return replica->backlog().DropOldest();
  };
  budget_.Trim(drop, [this](SlotId slot, size_t step) { PrefetchOldest(slot, step); });
}

void SlotTable::PrefetchOldest(SlotId slot, size_t step) const {
  if (step == 0) return PrefetchFind(slot);
  const SlotReplica* replica = Find(slot);
  if (replica == nullptr) return;
  if (step == 1) return replica->PrefetchBacklog();
  if (step == 2) return replica->backlog().PrefetchFront();
  replica->backlog().PrefetchOldest();
}

}  // namespace orrery::replication

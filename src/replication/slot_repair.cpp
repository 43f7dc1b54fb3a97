#include "orrery/replication/slot_repair.h"

#include <algorithm>
#include <string>
#include <utility>

#include "orrery/base/marks.h"

namespace orrery::replication {
namespace {

// Between two rounds over the homes when the last one has not brought everything.
constexpr uint64_t kRoundUs = 1'000'000;

}  // namespace

bool SlotRepair::Begin(SlotId slot, const Status& damage) {
  const bool only_home = context_.view->ring->Homes(slot).size() < 2;
  if (only_home && !reported_.insert(slot).second) return false;
  ++context_.stats.corrupt_slots;
  if (context_.log) {
    context_.log(
        "slot " + std::to_string(slot) + " is damaged: " + damage.message() +
        (only_home ? "; no other node has a copy" : "; it is emptied and merged from the other homes"));
  }
  if (only_home) return false;
  ORRERY_MARK("damaged slot is emptied and merged anew");
  SlotReplica& replica = context_.slots->At(slot);
  const uint64_t own = replica.clock().Get(context_.self);
  Repair& repair = slots_[slot];
  if (own >= repair.own_counter) {
    repair.own_counter = own;
    repair.kept_events = replica.backlog().All();
  }
  repair.merged_from.clear();
  replica.Reset();
  context_.slots->Touch(slot);
  context_.outbox->DropClaims(slot);
  return true;
}

std::vector<SlotId> SlotRepair::slots() const {
  std::vector<SlotId> slots;
  for (const auto& [slot, repair] : slots_) slots.push_back(slot);
  return slots;
}

// The homes in turn, so that one that has no image to give does not stand in the way.
std::optional<NodeId> SlotRepair::NextSource(SlotId slot) {
  Repair& repair = slots_.at(slot);
  if (context_.clock->MonotonicUs() < repair.next_round_us) return std::nullopt;
  const auto homes = context_.view->ring->Homes(slot);
  const auto last = std::find(homes.begin(), homes.end(), repair.last_source);
  const size_t start = last == homes.end() ? 0 : static_cast<size_t>(last - homes.begin()) + 1;
  for (size_t i = 0; i < homes.size(); ++i) {
    const NodeId home = homes[(start + i) % homes.size()];
    if (home == context_.self.node || !context_.linked.contains(home)) continue;
    if (repair.merged_from.contains(home)) continue;
    repair.last_source = home;
    return home;
  }
  return std::nullopt;
}

size_t SlotRepair::SourcesNeeded(SlotId slot) const {
  const size_t homes = context_.view->ring->Homes(slot).size();
  const size_t others = homes > 1 ? homes - 1 : 1;
  const size_t w = context_.view->W();
  return homes >= w ? std::min(homes - w + 1, others) : 1;
}

Status SlotRepair::Merged(SlotId slot, NodeId source) {
  const auto it = slots_.find(slot);
  if (it == slots_.end()) return Status::Ok();
  Repair& repair = it->second;
  repair.merged_from.insert(source);
  if (Status s = Replay(slot, repair); !s.ok()) return s;
  if (repair.merged_from.size() < SourcesNeeded(slot)) return Status::Ok();
  if (context_.slots->At(slot).clock().Get(context_.self) < repair.own_counter) {
    // Somebody else has our latest events; until they are here no new ones may be made. Go round again.
    if (repair.merged_from.size() + 1 >= context_.view->ring->Homes(slot).size()) {
      repair.merged_from.clear();
      repair.next_round_us = context_.clock->MonotonicUs() + kRoundUs;
    }
    return Status::Ok();
  }
  if (context_.log) context_.log("slot " + std::to_string(slot) + " is whole again");
  slots_.erase(it);
  return Status::Ok();
}

Status SlotRepair::Replay(SlotId slot, const Repair& repair) {
  SlotReplica& replica = context_.slots->At(slot);
  for (const auto& encoded : repair.kept_events) {
    if (replica.Classify(encoded->dot) != SlotReplica::Fit::kNext) continue;
    causality::Event event;
    if (!causality::DecodeEvent(encoded->bytes, &event)) continue;
    if (Status s = context_.slots->Apply(event, encoded); !s.ok()) return s;
  }
  return Status::Ok();
}

}  // namespace orrery::replication

#include "orrery/causality/slot_clock.h"

#include <algorithm>
#include <string>

#include "orrery/base/check.h"
#include "orrery/base/hash.h"

namespace orrery::causality {
namespace {

constexpr size_t kFloorBytesMin = 9;

}  // namespace

bool SlotClock::Covers(const Dot& dot) const { return counters_.Covers(dot) || IsClosed(dot.actor); }

bool SlotClock::CoversAll(const SlotClock& other) const {
  const auto& entries = other.counters_.entries();
  return std::all_of(entries.begin(), entries.end(),
                     [this](const VersionVector::Entry& entry) { return Covers({entry.actor, entry.counter}); });
}

bool SlotClock::CoversEveryDotOf(const SlotClock& other) const {
  return CoversAll(other) && std::all_of(other.floors_.begin(), other.floors_.end(), [this](const Floor& floor) {
           return FloorOf(floor.node) >= floor.incarnation;
         });
}

void SlotClock::Advance(const Dot& dot) {
  ORRERY_CHECK(dot.counter == counters_.Get(dot.actor) + 1);
  counters_.Raise(dot);
}

void SlotClock::Join(const SlotClock& other) {
  counters_.Join(other.counters_);
  for (const Floor& floor : other.floors_) RaiseFloor(floor.node, floor.incarnation);
  DropClosed();
}

void SlotClock::Raise(const Dot& dot) {
  if (!IsClosed(dot.actor)) counters_.Raise(dot);
}

void SlotClock::JoinCounters(const VersionVector& counters) {
  counters_.Join(counters);
  DropClosed();
}

uint64_t SlotClock::FloorOf(NodeId node) const {
  for (const Floor& floor : floors_) {
    if (floor.node == node) return floor.incarnation;
  }
  return 0;
}

void SlotClock::RaiseFloor(NodeId node, uint64_t incarnation) {
  if (incarnation <= FloorOf(node)) return;
  auto it = std::lower_bound(floors_.begin(), floors_.end(), node,
                             [](const Floor& floor, NodeId id) { return floor.node < id; });
  if (it != floors_.end() && it->node == node) {
    it->incarnation = incarnation;
  } else {
    floors_.insert(it, {node, incarnation});
  }
  DropClosed();
}

void SlotClock::DropClosed() {
  if (floors_.empty()) return;
  std::vector<Actor> closed;
  for (const auto& entry : counters_.entries()) {
    if (IsClosed(entry.actor)) closed.push_back(entry.actor);
  }
  for (const Actor& actor : closed) counters_.Erase(actor);
}

void SlotClock::Encode(Encoder* out) const {
  counters_.Encode(out);
  out->PutVarint(floors_.size());
  for (const Floor& floor : floors_) {
    out->PutU64(floor.node.value);
    out->PutVarint(floor.incarnation);
  }
}

SlotClock SlotClock::Decode(Decoder* in) {
  SlotClock clock;
  clock.counters_ = VersionVector::Decode(in);
  const uint64_t n = in->GetCount(kFloorBytesMin);
  for (uint64_t i = 0; i < n && in->ok(); ++i) {
    const NodeId node{in->GetU64()};
    const uint64_t incarnation = in->GetVarint();
    if (incarnation == 0 || (i > 0 && !(clock.floors_.back().node < node))) in->Fail();
    clock.floors_.push_back({node, incarnation});
  }
  clock.DropClosed();
  return clock;
}

uint64_t SlotClock::Hash() const {
  std::string bytes;
  Encoder out(&bytes);
  Encode(&out);
  return Hash64(bytes);
}

}  // namespace orrery::causality

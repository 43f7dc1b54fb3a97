#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "orrery/base/slot.h"

namespace orrery::replication {

/// Slots that something is to be done for, in the order in which they came: the work list of a turn. Adding, removing and
/// asking cost the same however many there are, and allocate nothing in steady use (Briggs and Torczon, "An Efficient
/// Representation for Sparse Sets"). One loop.
class SlotSet {
 public:
  SlotSet() : place_(kSlotCount, kNone) {}

  void Insert(SlotId slot) {
    if (place_[slot] != kNone) return;
    place_[slot] = static_cast<uint16_t>(slots_.size());
    slots_.push_back(slot);
  }
  /// The last slot takes its place.
  void Erase(SlotId slot) {
    const uint16_t place = std::exchange(place_[slot], kNone);
    if (place == kNone) return;
    const SlotId last = slots_.back();
    slots_.pop_back();
    if (last == slot) return;
    slots_[place] = last;
    place_[last] = place;
  }
  bool Contains(SlotId slot) const { return place_[slot] != kNone; }
  bool empty() const { return slots_.empty(); }
  size_t size() const { return slots_.size(); }
  /// By place; Insert adds at the end, so a walk by place meets what is inserted meanwhile.
  SlotId operator[](size_t place) const { return slots_[place]; }
  const std::vector<SlotId>& slots() const { return slots_; }

  void Clear() {
    for (SlotId slot : slots_) place_[slot] = kNone;
    slots_.clear();
  }
  /// Moves everything into *taken, whose old memory is used for what comes next.
  void TakeInto(std::vector<SlotId>* taken) {
    taken->clear();
    for (SlotId slot : slots_) place_[slot] = kNone;
    slots_.swap(*taken);
  }

 private:
  static constexpr uint16_t kNone = 0xffff;
  static_assert(kSlotCount < kNone);

  std::vector<uint16_t> place_;
  std::vector<SlotId> slots_;
};

}  // namespace orrery::replication

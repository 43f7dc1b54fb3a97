#include "orrery/replication/closing_seals.h"

#include <algorithm>

namespace orrery::replication {

using causality::Dot;

void ClosingSeals::Seal(SlotId slot, NodeId asker, uint64_t round, const EndedLives& lives) {
  auto& seals = seals_[slot];
  std::erase_if(seals, [&](const One& seal) { return seal.asker == asker; });
  seals.push_back({asker, round, lives, 0});
}

bool ClosingSeals::Stands(SlotId slot, NodeId asker, uint64_t round) const {
  const auto seals = seals_.find(slot);
  if (seals == seals_.end()) return false;
  return std::any_of(seals->second.begin(), seals->second.end(),
                     [&](const One& seal) { return seal.asker == asker && seal.round == round; });
}

void ClosingSeals::Lift(SlotId slot, NodeId asker, uint64_t round) {
  const auto seals = seals_.find(slot);
  if (seals == seals_.end()) return;
  std::erase_if(seals->second, [&](const One& seal) { return seal.asker == asker && seal.round == round; });
  if (seals->second.empty()) seals_.erase(seals);
}

bool ClosingSeals::Forbids(SlotId slot, const Dot& dot) const {
  if (seals_.empty()) return false;
  const auto seals = seals_.find(slot);
  if (seals == seals_.end()) return false;
  return std::any_of(seals->second.begin(), seals->second.end(), [&](const One& seal) {
    return seal.lives.Has(dot.actor) && dot.counter > seal.lives.counters.Get(dot.actor);
  });
}

bool ClosingSeals::Forbids(SlotId slot, const causality::SlotClock& clock) const {
  if (!IsSealed(slot)) return false;
  const auto& entries = clock.counters().entries();
  return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
    return Forbids(slot, Dot{entry.actor, entry.counter});
  });
}

void ClosingSeals::Tick() {
  for (auto it = seals_.begin(); it != seals_.end();) {
    std::erase_if(it->second, [](One& seal) { return ++seal.ticks > kTicks; });
    it = it->second.empty() ? seals_.erase(it) : std::next(it);
  }
}

}  // namespace orrery::replication

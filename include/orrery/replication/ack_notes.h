#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "orrery/base/node_id.h"
#include "orrery/base/prefetch.h"
#include "orrery/replication/slot_set.h"

namespace orrery::replication {

/// Acknowledgements of a coordinator's own events that nothing waits for, kept until somebody looks at the
/// slot: to note one takes a cache line, to count one in the slot's quorum a dozen. One loop.
class AckNotes {
 public:
  /// So often Old() takes what nobody has looked at.
  static constexpr uint64_t kSweepUs = 1'000'000;

  AckNotes() : notes_(kSlotCount) {}

  /// The home has everything that we made in the slot, up to and with the counter. False, and nothing is
  /// noted, if other homes take the room that a slot has here.
  bool Add(SlotId slot, NodeId home, uint64_t counter) {
    for (Note& note : notes_[slot]) {
      if (note.home && note.home != home) continue;
      note.home = home;
      note.counter = std::max(note.counter, counter);
      slots_.Insert(slot);
      return true;
    }
    return false;
  }
  bool Has(SlotId slot) const { return slots_.Contains(slot); }
  /// Calls count(home, counter) for each note of the slot, and forgets them.
  template <typename Count>
  void Take(SlotId slot, const Count& count) {
    slots_.Erase(slot);
    for (Note& note : notes_[slot]) {
      if (const Note taken = std::exchange(note, {}); taken.home) count(taken.home, taken.counter);
    }
  }

  /// When a sweep is due: the slots that had notes at the last one, too. Whoever wants those counted takes
  /// them.
  std::vector<SlotId> Old(uint64_t now_us) {
    if (now_us < swept_us_ + kSweepUs) return {};
    swept_us_ = now_us;
    std::vector<SlotId> old = std::exchange(at_last_sweep_, slots_.slots());
    std::erase_if(old, [this](SlotId slot) { return !Has(slot); });
    return old;
  }

  void Prefetch(SlotId slot) const { PrefetchBytes(&notes_[slot], sizeof(Notes)); }

 private:
  struct Note {
    NodeId home;
    uint64_t counter = 0;
  };
  /// With N=3 there are two other homes. Two slots in a cache line.
  using Notes = std::array<Note, 2>;

  std::vector<Notes> notes_;
  SlotSet slots_;  ///< that have notes
  std::vector<SlotId> at_last_sweep_;
  uint64_t swept_us_ = 0;
};

}  // namespace orrery::replication

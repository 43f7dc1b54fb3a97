#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

#include "orrery/causality/slot_clock.h"
#include "orrery/storage/hint_store.h"

namespace orrery::replication {

/// How far without a hole the events of one actor, for one absent home and slot, are safe: kept here as
/// hints, or known to be durable at the home itself. What a fallback may acknowledge rests on this. One loop.
class HintRuns {
 public:
  explicit HintRuns(storage::HintStore* store) : store_(*store) {}

  /// The greatest n such that every event of the actor in (from, n] is safe; `from` if the next one is not.
  uint64_t SafeThrough(NodeId home, SlotId slot, const causality::Actor& actor, uint64_t from) const;
  /// To be called before a hint is added.
  void WillAdd(NodeId home, SlotId slot, const causality::Dot& dot);
  /// The home said what it has on disk.
  void LearnSynced(NodeId home, SlotId slot, const causality::SlotClock& synced);
  /// What the home has said; nullptr if nothing.
  const causality::SlotClock* Synced(NodeId home, SlotId slot) const;

 private:
  using Stream = std::tuple<NodeId, SlotId, causality::Actor>;
  uint64_t Walk(NodeId home, SlotId slot, const causality::Actor& actor, uint64_t from) const;

  storage::HintStore& store_;
  /// For streams with holes, where the last run without one begins; absent: unknown, the store is walked.
  std::map<Stream, uint64_t> last_run_;
  std::map<std::pair<NodeId, SlotId>, causality::SlotClock> synced_;
};

}  // namespace orrery::replication

#include "orrery/replication/hint_runs.h"

#include <algorithm>

namespace orrery::replication {

using causality::Actor;
using causality::Dot;
using causality::SlotClock;

uint64_t HintRuns::SafeThrough(NodeId home, SlotId slot, const Actor& actor, uint64_t from) const {
  if (const SlotClock* synced = Synced(home, slot)) from = std::max(from, synced->Get(actor));
  const auto range = store_.FindRange(home, slot, actor);
  if (!range || range->last <= from || range->first > from + 1) return from;
  if (!range->has_gaps()) return range->last;
  const auto run = last_run_.find({home, slot, actor});
  if (run != last_run_.end() && run->second <= from + 1) return range->last;
  return Walk(home, slot, actor, from);
}

uint64_t HintRuns::Walk(NodeId home, SlotId slot, const Actor& actor, uint64_t from) const {
  uint64_t reached = from;
  auto cursor = store_.Scan(home, slot, Dot{actor, from + 1});
  for (; cursor.Valid() && cursor.hint().dot.counter == reached + 1; cursor.Next()) ++reached;
  return reached;
}

void HintRuns::WillAdd(NodeId home, SlotId slot, const Dot& dot) {
  const auto range = store_.FindRange(home, slot, dot.actor);
  if (!range) return;
  // A hint beyond a hole begins a run of its own; one that continues the last run changes nothing.
  if (dot.counter > range->last + 1) {
    last_run_[{home, slot, dot.actor}] = dot.counter;
  } else if (dot.counter <= range->last) {
    last_run_.erase({home, slot, dot.actor});
  }
}

void HintRuns::LearnSynced(NodeId home, SlotId slot, const SlotClock& synced) {
  synced_[{home, slot}].Join(synced);
}

const SlotClock* HintRuns::Synced(NodeId home, SlotId slot) const {
  const auto it = synced_.find({home, slot});
  return it == synced_.end() ? nullptr : &it->second;
}

}  // namespace orrery::replication

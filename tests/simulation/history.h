#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "orrery/causality/event.h"
#include "orrery/causality/row.h"
#include "orrery/causality/voided_set.h"

namespace orrery::simulation {

/// What a replica at some clock must look like, by definition and without any merge rule: the cells that
/// events below the clock added, minus those that events below the clock removed, whatever came first.
struct Expected {
  std::map<std::string, causality::Row> rows;
  causality::VoidedSet voided;
  uint64_t digest = 0;
};

/// Every event ever made in the cluster, as their coordinators made them. Only the checkers know it.
class History {
 public:
  enum class Recorded { kNew, kSame, kClash };
  /// kClash: another event has this dot already, or the actor left a hole before it.
  Recorded Record(const causality::EventPtr& encoded);

  /// A replica at this clock has closed the node's lives below the incarnation; what it had applied of them
  /// is what every floor stands for from now on. The lives that were not closed before.
  std::vector<causality::Actor> Close(SlotId slot, NodeId node, uint64_t incarnation,
                                      const causality::SlotClock& before);
  /// Up to which event of each actor the clock covers, what its floors stand for included.
  causality::VersionVector Applied(SlotId slot, const causality::SlotClock& clock) const;

  /// The actor's latest counter in the slot.
  uint64_t Latest(SlotId slot, const causality::Actor& actor) const;
  /// nullptr if there is none.
  const causality::Event* Find(SlotId slot, const causality::Dot& dot) const;
  /// What At() says of the row, if those of the events that touch it, of which `skips` says so, had never
  /// been.
  causality::Row RowAt(SlotId slot, const causality::SlotClock& clock, const std::string& row_key,
                       const std::function<bool(const causality::Dot&)>& skips) const;
  /// nullptr if the clock covers an event that nobody made.
  std::shared_ptr<const Expected> At(SlotId slot, const causality::SlotClock& clock) const;

  using Actors = std::map<causality::Actor, std::vector<causality::Event>>;
  const Actors& actors(SlotId slot) const;
  std::set<SlotId> slots() const;
  /// The clock of whoever has all events of the slot that can still be applied, and all floors.
  causality::SlotClock Everything(SlotId slot) const;
  uint64_t events() const { return events_; }

 private:
  struct Slot {
    Actors actors;
    causality::VersionVector closed;
    std::map<NodeId, uint64_t> floors;
    mutable std::unordered_map<uint64_t, std::shared_ptr<const Expected>> cache;  // by hash of the clock
  };
  std::map<SlotId, Slot> slots_;
  uint64_t events_ = 0;
};

}  // namespace orrery::simulation

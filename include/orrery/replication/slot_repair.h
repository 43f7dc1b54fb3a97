#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// Slots whose stored bytes are unreadable, on their way back from nothing: the replica is emptied, then
/// merged from so many of the other homes that one of them must have any acknowledged event (N - W + 1). The
/// events of our own life are kept aside and applied again, because an actor must never give one counter to
/// two events. Says what to do; the messages are CatchUp's. One loop.
class SlotRepair {
 public:
  explicit SlotRepair(ShardContext* context) : context_(*context) {}

  /// Notes the damage and empties the slot. False: no other home has it, so it is left as it is; what can be read of it
  /// is all there is.
  bool Begin(SlotId slot, const Status& damage);
  /// Whether the slot is away from service.
  bool Has(SlotId slot) const { return slots_.contains(slot); }
  std::vector<SlotId> slots() const;
  /// The home in reach to merge from next.
  std::optional<NodeId> NextSource(SlotId slot);
  /// The slot has been merged from this home. kCorruption: damaged again.
  [[nodiscard]] Status Merged(SlotId slot, NodeId source);

 private:
  struct Repair {
    uint64_t own_counter = 0;                     ///< our last event there, to be reached again
    /// The backlog as it was: some of it, with W = 1 even acknowledged events, may be nowhere else.
    std::vector<causality::EventPtr> kept_events;
    uint64_t next_round_us = 0;
    std::set<NodeId> merged_from;
    NodeId last_source;
  };

  size_t SourcesNeeded(SlotId slot) const;
  Status Replay(SlotId slot, const Repair& repair);

  ShardContext& context_;
  std::map<SlotId, Repair> slots_;
  std::set<SlotId> reported_;  ///< damaged, but nobody else has a copy
};

}  // namespace orrery::replication

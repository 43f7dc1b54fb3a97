#pragma once

#include <optional>
#include <set>
#include <vector>

#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// A node that takes part for a slot: a home in reach, or a fallback in place of a home that is not.
struct Target {
  NodeId node;
  NodeId home;  ///< whom it stands for: itself, if it is a home
  bool pending = false;  ///< a home that is not in service yet: it keeps events and answers nothing
  bool is_fallback() const { return node != home; }
  bool operator==(const Target&) const = default;
};

/// Everybody but ourselves who takes part for a slot now, homes first: the sloppy quorum (Dynamo, section 4.6). The i-th
/// absent home is represented by the i-th fallback in reach. refused: fallbacks that could not take our hints.
struct Targets {
  std::vector<Target> others;
  /// Set if we are no home: the absent home for which we keep our own events.
  std::optional<NodeId> we_stand_for;
  size_t homes_in_reach = 0;  ///< in service; ourselves not counted
  bool we_are_home = false;

  /// nullptr: it does not take part.
  const Target* FindOther(NodeId node) const;
  size_t participants() const { return others.size() + (we_are_home || we_stand_for ? 1 : 0); }
  bool operator==(const Targets&) const = default;
};

Targets ComputeTargets(const ShardContext& context, SlotId slot, const std::set<NodeId>& refused);

/// Who should coordinate the slot in our opinion: the first home in reach, else the first fallback in reach. A home whose
/// seat is not in service yet is passed over if that takes long.
NodeId CoordinatorInReach(const ShardContext& context, SlotId slot);

}  // namespace orrery::replication

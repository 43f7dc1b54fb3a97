#pragma once

#include <functional>
#include <span>
#include <vector>

#include "orrery/base/node_id.h"
#include "orrery/base/slot.h"

namespace orrery::ring {

class Ring;

/// One of the nodes that a request goes to: a home, or a fallback in a home's place (sloppy quorum, Dynamo
/// section 4.6).
struct Placement {
  NodeId node;
  NodeId stands_in_for;  ///< zero for a home

  bool operator==(const Placement&) const = default;
};

/// All distinct nodes in the order in which they answer for a slot (Dynamo section 4.3): first the homes,
/// then the fallbacks, those of zones that the list does not yet show first. Fallbacks are computed when
/// first asked for. Value type that refers to its ring; not shared between threads.
class PreferenceList {
 public:
  PreferenceList(const Ring* ring, SlotId slot) : ring_(ring), slot_(slot) {}

  std::span<const NodeId> homes() const;
  size_t size() const;
  /// REQUIRES: index < size().
  NodeId At(size_t index) const;
  std::vector<NodeId> All() const;

  /// The first N healthy nodes: the homes that are alive, in order, then for each one that is not the next
  /// fallback that is. Fewer if not enough are alive. The first of them coordinates.
  std::vector<Placement> Healthy(const std::function<bool(NodeId)>& alive) const;

 private:
  const std::vector<NodeId>& fallbacks() const;

  const Ring* ring_;
  SlotId slot_;
  mutable std::vector<NodeId> fallbacks_;
  mutable bool computed_ = false;
};

}  // namespace orrery::ring

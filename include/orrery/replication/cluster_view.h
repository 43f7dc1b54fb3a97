#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "orrery/base/slot.h"
#include "orrery/membership/member.h"
#include "orrery/ring/ring.h"

namespace orrery::replication {

/// What a node knows of the cluster at one instant: the ring, the members, and who is alive in its own
/// opinion. Immutable; made by the node's first loop, shared by pointer with the others; replaced as a whole
/// on any change.
struct ClusterView {
  NodeId self;
  std::vector<membership::Member> members;
  std::set<NodeId> removed;  ///< who has been a member and never will be again
  /// Of the members that are up: where the slots belong. The nodes that hold them are the owners of their
  /// seats (seats.h).
  std::shared_ptr<const ring::Ring> ring;
  /// Of the members that were admitted before there was data: who owned the seats first. Null: as `ring`.
  std::shared_ptr<const ring::Ring> founders;
  std::set<NodeId> alive;  ///< self included
  /// Whether somebody has said in this life who belongs to the cluster, or nobody was there to say it: nothing is served before,
  /// as an old disk may know fewer members than there are (docs/membership.md).
  bool is_compared = true;
  bool is_removed = false;     ///< we were removed from the cluster: nothing is served
  /// If we removed ourselves: whether a member has said that it knows. Before, nobody should stop us.
  bool is_removal_known = true;
  /// We are to join others, by our seeds or because we were reset after we were taken out of a cluster, and
  /// no member has said yet that we belong to them. Nothing is served: what our clients wrote would be lost
  /// to theirs.
  bool awaits_meeting = false;
  bool says_farewell = false;  ///< we have nothing left and are about to be removed: nothing new is begun
  /// Who says of a member that it is down, ourselves included. For display; decides nothing.
  std::map<NodeId, std::set<NodeId>> found_down;
  /// N, R, W as configured; use the functions, which cap them by the number of members.
  uint8_t replication_factor = 3;
  uint8_t read_quorum = 2;
  uint8_t write_quorum = 2;

  bool IsAlive(NodeId node) const { return alive.contains(node); }
  const membership::Member* Find(NodeId node) const;
  /// How many other members say that the node is down.
  size_t OthersFindDown(NodeId node) const;
  size_t Homes() const;
  size_t R(uint8_t requested = 0) const;
  size_t W(uint8_t requested = 0) const;
};
using ClusterViewPtr = std::shared_ptr<const ClusterView>;

}  // namespace orrery::replication

#pragma once

#include <cstdint>
#include <map>

#include "orrery/base/node_id.h"
#include "orrery/base/slot.h"
#include "orrery/replication/seats.h"

namespace orrery::replication {

/// For each node: how often the slots of which it is the first home have changed here by other hands than its
/// own. As long as its count stays, nothing came into these slots but what that node has made itself, and it
/// lacks nothing that it did not lack before: by that one number it knows itself current in all of them
/// (docs/consistency.md, quorum reads). Only equal counts mean anything; a change may be counted more than
/// once. One loop.
class ForeignChanges {
 public:
  /// start: drawn at random, so that counts of different lives of this node are not equal.
  ForeignChanges(const SeatTable* seats, NodeId self, uint64_t start)
      : seats_(*seats), self_(self), start_(start | 1) {}

  /// The slot's clock, rows or standing change now, by an event that `by` has made and sent; zero: by
  /// something else.
  void Note(SlotId slot, NodeId by);
  /// Never 0. Changes, too, with whatever changes who the homes are.
  uint64_t CountOf(NodeId first_home) const;
  /// Whether the node is the slot's first home, as far as we know: then its count tells of the slot.
  bool Covers(SlotId slot, NodeId node) const;

 private:
  const SeatTable& seats_;
  const NodeId self_;
  const uint64_t start_;
  std::map<NodeId, uint64_t> counts_;
};

}  // namespace orrery::replication

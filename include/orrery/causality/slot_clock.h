#pragma once

#include <cstdint>
#include <vector>

#include "orrery/causality/version_vector.h"

namespace orrery::causality {

/// What one replica of one slot has seen: clock[a] = n means that exactly the events 1..n of actor a were applied.
/// Lives that ended and that every home has whole are closed: one floor per node stands for all of them, so the clock
/// grows with nodes, not with restarts. Value type.
class SlotClock {
 public:
  struct Floor {
    NodeId node;
    uint64_t incarnation = 0;  ///< every dot of an incarnation below this counts as covered
    bool operator==(const Floor&) const = default;
  };

  bool Covers(const Dot& dot) const;
  /// Every event of the other's counters is covered here. Floors are not events; they do not matter.
  bool CoversAll(const SlotClock& other) const;
  /// Every dot that the other covers is covered here, those of lives that it has closed included.
  bool CoversEveryDotOf(const SlotClock& other) const;
  uint64_t Get(const Actor& actor) const { return counters_.Get(actor); }
  /// REQUIRES: dot is the next event of its actor here (the prefix property).
  void Advance(const Dot& dot);
  void Join(const SlotClock& other);
  /// Raises one counter as an acknowledgement does; lower values change nothing.
  void Raise(const Dot& dot);
  /// Raises counters as acknowledgements do: to what somebody else has, without the events between.
  void JoinCounters(const VersionVector& counters);

  uint64_t FloorOf(NodeId node) const;
  bool IsClosed(const Actor& actor) const { return actor.incarnation < FloorOf(actor.node); }
  /// Closes every life of the node below the incarnation and forgets their counters. Never lowers.
  void RaiseFloor(NodeId node, uint64_t incarnation);

  const VersionVector& counters() const { return counters_; }
  const std::vector<Floor>& floors() const { return floors_; }
  bool empty() const { return counters_.empty() && floors_.empty(); }
  bool operator==(const SlotClock&) const = default;

  void Encode(Encoder* out) const;
  static SlotClock Decode(Decoder* in);
  /// Equal clocks have equal hashes; for comparing many slots cheaply.
  uint64_t Hash() const;

 private:
  void DropClosed();
  VersionVector counters_;
  std::vector<Floor> floors_;  // sorted by node
};

}  // namespace orrery::causality

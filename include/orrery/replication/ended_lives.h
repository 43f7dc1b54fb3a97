#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "orrery/causality/slot_clock.h"
#include "orrery/causality/voided_set.h"

namespace orrery::replication {

/// Lives of nodes that are over, in one slot: what closing is about (docs/closing.md). Value type.
struct EndedLives {
  /// Every life of the node from `from` on and below `to` is over. `from` is the floor that the node has
  /// already.
  struct Span {
    NodeId node;
    uint64_t from = 0;
    uint64_t to = 0;
    bool operator==(const Span&) const = default;
  };
  std::vector<Span> spans;            ///< ascending by node
  causality::VersionVector counters;  ///< the events of those lives that are applied

  bool empty() const { return spans.empty(); }
  /// Whether the actor is one of those lives.
  bool Has(const causality::Actor& actor) const;
  bool operator==(const EndedLives&) const = default;
};

/// Which life each node is in, as far as it has been told. Pure; one loop.
class NodeLives {
 public:
  /// A node said, itself, that it is in this life: every earlier one is over. Never goes back.
  void Learn(NodeId node, uint64_t incarnation);
  void SetRemoved(std::set<NodeId> removed) { removed_ = std::move(removed); }
  /// Whether the life is known to be over. All lives of a removed member are.
  bool IsOver(const causality::Actor& actor) const;
  /// What of a slot's clock and voided set is about lives that are over. If anything of a member is, the span
  /// has all its lives but the present one. heard_of: lives that are to be looked at, too, whoever has anything of them.
  EndedLives FindEnded(const causality::SlotClock& clock, const causality::VoidedSet& voided,
                       const std::set<causality::Actor>& heard_of = {}) const;

 private:
  std::map<NodeId, uint64_t> current_;
  std::set<NodeId> removed_;
};

/// Whether the clock has applied just these events of the lives, and has the same floors below them.
bool HasExactly(const causality::SlotClock& clock, const EndedLives& lives);
/// Whether the lives are closed in the clock.
bool HasClosed(const causality::SlotClock& clock, const EndedLives& lives);

void EncodeEndedLives(const EndedLives& lives, Encoder* out);
/// Fails the decoder on spans that are unordered or empty.
EndedLives DecodeEndedLives(Decoder* in);

}  // namespace orrery::replication

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "orrery/base/fifo.h"
#include "orrery/base/prefetch.h"
#include "orrery/causality/slot_clock.h"

namespace orrery::replication {

/// Pure quorum counting for one slot at its coordinator: which node holds what, and up to where everything that this
/// coordinator has seen is on W nodes (the commit point). No messages, no time.
class SlotQuorum {
 public:
  /// A home said that it durably holds this much.
  void LearnClock(NodeId home, const causality::SlotClock& clock);
  void LearnDot(NodeId home, const causality::Dot& upto);
  /// A fallback keeps, for an absent home, everything of the actor from the commit point up to here.
  void LearnHint(NodeId fallback, NodeId home, const causality::Dot& upto);
  /// The link broke: what the node holds now is unknown (it may have lost what was not synced).
  void Forget(NodeId node);
  uint64_t KnownOf(NodeId home, const causality::Actor& actor) const;
  /// The floor of the node that the home is known to have.
  uint64_t FloorKnownOf(NodeId home, NodeId node) const;

  /// How many homes other than us have the dot, themselves or by a fallback's hint. A home and its hint are one copy: the
  /// fallback drops the hint once the home has it.
  size_t OtherCopies(const causality::Dot& dot) const;

  /// The clock changed by more than single events (start, merge): all of it must be found on W nodes again.
  void Rebase(const causality::SlotClock& clock);
  /// One more event was applied here. Returns its sequence number: a reply that saw it waits for Settled() >= it.
  uint64_t Saw(const causality::Dot& dot);
  uint64_t last_seen() const { return last_seen_; }
  /// Everything up to this sequence number is on write_quorum nodes, ours included.
  uint64_t Settle(size_t write_quorum);
  /// What Settle last said.
  uint64_t settled() const { return settled_; }
  bool base_settled() const { return base_settled_; }
  /// Whether nothing waits to be settled.
  bool all_settled() const { return base_settled_ && unsettled_.empty(); }
  /// Dots that are not known to be on W nodes yet, oldest first, the base's latest ones included.
  std::vector<causality::Dot> Unsettled() const;
  /// The counter of the actor's first event among them; 0 if there is none. REQUIRES: base_settled().
  uint64_t OldestUnsettled(const causality::Actor& actor) const;

  /// Quorum reads. A node answered the probe: it has nothing that this clock lacks, once ours covers it.
  void Answered(NodeId node, uint64_t probe_id, const causality::SlotClock& theirs, const causality::SlotClock& ours);
  /// Our clock advanced: answers that waited for it may count now.
  void Recheck(const causality::SlotClock& ours);
  /// It has nothing that our clock lacks, without a look at its clock.
  void AnsweredCurrent(NodeId node, uint64_t probe_id);
  /// Whether the node's "you are current" holds for this probe.
  bool IsCurrent(NodeId node, uint64_t probe_id) const;
  /// Under this count of foreign changes the node had nothing that our clock lacks; 0 if that is not known.
  uint64_t CurrentUnder(NodeId node) const;
  void LearnCurrentUnder(NodeId node, uint64_t count) { At(node).current_under = count; }
  /// Our clock is not what it was.
  void ForgetCurrentUnder();

  /// Asks for the memory that the next event needs.
  void Prefetch() const {
    PrefetchBytes(nodes_.data(), nodes_.size() * sizeof(Node));
    unsettled_.PrefetchEnd();
  }

 private:
  /// What few slots ever have of a node.
  struct Rare {
    std::map<NodeId, causality::VersionVector> hints;  ///< by the home that they are for
    uint64_t waiting_probe = 0;
    causality::SlotClock waiting_for;
  };
  struct Node {
    NodeId id;
    causality::SlotClock holds;
    uint64_t current_probe = 0;
    uint64_t current_under = 0;
    std::unique_ptr<Rare> rare;

    Rare& MakeRare();
    bool has_hints() const { return rare != nullptr && !rare->hints.empty(); }
  };
  struct Seen {
    uint64_t sequence = 0;
    causality::Dot dot;
  };

  Node& At(NodeId id);
  const Node* Find(NodeId id) const;

  // What every command needs stands first.
  std::vector<Node> nodes_;
  Fifo<Seen> unsettled_;
  uint64_t last_seen_ = 0;
  uint64_t settled_ = 0;
  bool base_settled_ = true;
  causality::SlotClock base_;
};

}  // namespace orrery::replication

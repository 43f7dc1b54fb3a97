#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "orrery/replication/hint_delivery.h"
#include "orrery/replication/hint_runs.h"
#include "orrery/replication/shard_context.h"
#include "orrery/storage/hint_store.h"

namespace orrery::replication {

/// Hinted handoff (Dynamo, section 4.6): as a fallback keeps events for homes that are away, durably and
/// without holes, answers quorum reads in their place, and hands over when they are back; as a home tells
/// what it has. Acknowledges an event only if everything of its actor from the coordinator's starting point
/// on is safe (docs/catch-up.md). A full store refuses; it never drops. Events in, messages into the
/// context's outbox. One loop.
class HintService {
 public:
  static constexpr size_t kLackingBytesMax = size_t{1} << 20;

  HintService(ShardContext* context, storage::HintStore* store);

  void OnHint(NodeId from, const HintMessage& message);
  /// A fallback that coordinates keeps its own event for the home, whatever the limit says: it asks full() before it
  /// makes one.
  [[nodiscard]] Status Keep(NodeId home, const causality::EventPtr& event);
  bool full() const { return store_.full(); }

  /// What a quorum read that asks us as a fallback compares: of each actor the latest event kept, for any
  /// home.
  causality::SlotClock HintClock(SlotId slot) const;
  /// Kept events that follow the clock, in counter order per actor, each once; about kLackingBytesMax of
  /// them.
  std::vector<causality::EventPtr> Lacking(SlotId slot, const causality::SlotClock& clock) const;

  /// Whether an event is kept, for any home, that would follow what is applied of these lives. Later ones
  /// that nothing leads up to do not count: if no member has what is between, nobody can ever apply them.
  bool HoldsNext(SlotId slot, const EndedLives& lives) const;

  /// Slots of which anything is kept, ascending.
  std::vector<SlotId> HintedSlots() const;

  /// As a home.
  void OnHintOffer(NodeId from, const HintOfferMessage& message);
  /// As a fallback.
  void OnHintWant(NodeId from, const HintWantMessage& message) { delivery_.OnWant(from, message); }

  void OnPeerUp(NodeId peer) { delivery_.OnPeerUp(peer); }
  void OnPeerDown(NodeId peer);
  void Tick(uint64_t now_us);

  /// Some hints were lost with table files: as a fallback this node must not say what is current, until all members have been
  /// in reach together for long enough that the homes have compared what they have.
  void NoteLost() { has_lost_ = true; }
  bool has_lost() const { return has_lost_; }
  /// Queues the turn's acknowledgements. Before the commit, after the last hint of the turn.
  void FlushAcks();

  /// Count and bytes per home, for INFO.
  const std::map<NodeId, storage::HintStore::Totals>& totals() const { return store_.totals(); }

 private:
  struct AckKey {
    NodeId peer;
    NodeId home;
    SlotId slot = 0;
    causality::Actor actor;
    auto operator<=>(const AckKey&) const = default;
  };
  struct Ack {
    uint64_t upto = 0;
    uint64_t refused = 0;  ///< counter of the first event that was refused; 0: none
  };

  Status Add(NodeId home, const causality::EventPtr& event);
  Status Added(Status status);
  void Refuse(NodeId from, const HintMessage& message);

  ShardContext& context_;
  storage::HintStore& store_;
  HintRuns runs_;
  HintDelivery delivery_;
  std::map<AckKey, Ack> acks_;
  bool has_lost_ = false;
  uint64_t together_since_us_ = 0;  ///< all members are in reach; 0: they are not
};

}  // namespace orrery::replication

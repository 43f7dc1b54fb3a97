#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "orrery/replication/messages.h"
#include "orrery/replication/shard_context.h"
#include "orrery/storage/hint_store.h"

namespace orrery::replication {

/// Hinted handoff (Dynamo, section 4.6): keeps events for homes that are away, durably and without gaps, and hands them
/// over in order when the home is back. A hint goes only when its home has the event on disk; it never goes for age or
/// size. Both sides: the fallback that keeps, and the home that says what it wants. One loop.
class HintService {
 public:
  HintService(ShardContext* context, storage::HintStore* store) : context_(*context), store_(*store) {}

  // The fallback's side.
  void OnHint(NodeId from, const HintMessage& message);
  void OnHintWant(NodeId from, const HintWantMessage& message);
  /// For a fallback that coordinates because no home is in reach: keeps its own event for a home.
  [[nodiscard]] Status Keep(NodeId home, const causality::EventPtr& event);
  /// What the hints of the slot amount to, as a clock: compared when asked in place of a home.
  causality::SlotClock HintClock(SlotId slot) const;
  /// Hinted events of the slot that the clock does not cover, each actor's in order.
  std::vector<causality::EventPtr> Lacking(SlotId slot, const causality::SlotClock& clock) const;

  // The home's side.
  void OnHintOffer(NodeId from, const HintOfferMessage& message);

  void OnPeerUp(NodeId peer);
  void OnPeerDown(NodeId peer);
  /// Offers hints to homes in reach.
  void Tick(uint64_t now_us);
  void FlushAcks();

  const std::map<NodeId, storage::HintStore::Totals>& totals() const { return store_.totals(); }

 private:
  bool Accept(const HintMessage& message);
  void Offer(NodeId home, uint64_t now_us);
  void Deliver(NodeId to, NodeId hinted_home, SlotId slot, const causality::SlotClock& clock);
  std::vector<NodeId> ReceiversOf(NodeId home, SlotId slot) const;

  ShardContext& context_;
  storage::HintStore& store_;
  std::set<std::tuple<NodeId, NodeId, SlotId, causality::Actor>> acks_;  // peer, home, slot, actor
  std::map<std::pair<NodeId, SlotId>, uint64_t> offered_us_;
  uint64_t last_offer_us_ = 0;
};

}  // namespace orrery::replication

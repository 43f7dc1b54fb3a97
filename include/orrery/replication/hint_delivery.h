#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "orrery/replication/hint_runs.h"
#include "orrery/replication/shard_context.h"
#include "orrery/storage/hint_store.h"

namespace orrery::replication {

/// Brings hints to the homes that they are for, and drops them when they are safe there. Per slot: we offer,
/// the home answers with what it has, we send what follows that, oldest first, and offer again, until nothing
/// is left.
///
/// A hint whose home is no longer a home of its slot is offered to every current home and dropped when W of
/// them have it on disk. Nothing is dropped for age or size. One loop.
class HintDelivery {
 public:
  static constexpr size_t kOffersMax = 1024;                ///< under way to one home
  static constexpr size_t kSlotBytesMax = size_t{1} << 20;  ///< in answer to one want
  static constexpr size_t kPeerBytesMax = size_t{4} << 20;  ///< to one home between two ticks
  static constexpr uint64_t kAgainUs = 200'000;
  static constexpr uint64_t kPatienceUs = 1'000'000;

  HintDelivery(ShardContext* context, storage::HintStore* store, HintRuns* runs)
      : context_(*context), store_(*store), runs_(*runs) {}

  void OnPeerUp(NodeId peer);
  void OnPeerDown(NodeId peer);
  void OnWant(NodeId from, const HintWantMessage& want);
  void Tick(uint64_t now_us);

 private:
  using Key = std::pair<NodeId, SlotId>;
  struct Offer {
    bool under_way = false;
    uint64_t at_us = 0;  ///< under way: when it was made; else: when to make the next
  };

  /// Who is linked and should get hints of which slots.
  std::map<NodeId, std::set<SlotId>> FindDue() const;
  /// Homes that the slot's hints for this peer are filed under: its own, and those that are homes no more.
  std::vector<NodeId> FiledUnder(NodeId peer, SlotId slot) const;
  bool HasHints(NodeId peer, SlotId slot) const;

  void Refill(NodeId peer, std::set<SlotId> due, uint64_t now_us);
  void ResumeAll(uint64_t now_us);
  void OfferMore(NodeId peer, uint64_t now_us);
  void MakeOffer(NodeId peer, SlotId slot, uint64_t now_us);

  void Drop(NodeId from, const HintWantMessage& want);
  uint64_t SafeAt(NodeId home, SlotId slot, const storage::HintStore::Range& range) const;
  uint64_t OnCurrentHomes(SlotId slot, const storage::HintStore::Range& range) const;
  void TellOfEndedLives(NodeId to, const HintWantMessage& want);
  size_t SendFollowing(NodeId to, const HintWantMessage& want);
  size_t SendStream(NodeId to, NodeId home, SlotId slot, const causality::Dot& first);

  ShardContext& context_;
  storage::HintStore& store_;
  HintRuns& runs_;
  std::map<Key, Offer> offers_;
  std::map<NodeId, std::set<SlotId>> due_;
  std::map<NodeId, size_t> under_way_;
  std::map<NodeId, size_t> bytes_;  ///< since the last tick
  uint64_t next_walk_us_ = 0;
};

}  // namespace orrery::replication

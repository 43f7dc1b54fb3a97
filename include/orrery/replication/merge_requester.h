#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "orrery/replication/merge_staging.h"
#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// The merges that this shard has asked its peers for: a bounded number under way, the rest in a queue. It
/// fetches images; what is done with a whole one is its owner's (CatchUp's) business. A merge that stops
/// leaves no trace. One loop.
class MergeRequester {
 public:
  /// Images staged in memory at a time.
  static constexpr size_t kUnderWayMax = 8;
  static constexpr uint64_t kPatienceUs = 5'000'000;

  explicit MergeRequester(ShardContext* context) : context_(*context) {}

  /// Fetches the slot's image from the peer, unless one of the slot is being fetched or waits.
  void Want(SlotId slot, NodeId source);
  size_t size() const { return under_way_.size() + waiting_.size(); }
  /// From whom the slot is merged, or is to be; nobody if it is not.
  std::optional<NodeId> SourceOf(SlotId slot) const;
  bool Has(SlotId slot) const { return under_way_.contains(slot) || waiting_.contains(slot); }

  struct Fetched {
    NodeId source;
    SlotImage image;
    uint64_t bytes = 0;  ///< of its rows, as they travelled
  };
  /// A whole image, when this was its last part. A merge that this part ends otherwise is in TakeStopped.
  std::optional<Fetched> OnPart(NodeId from, const MergePartMessage& part);
  void OnPeerDown(NodeId peer);
  /// Gives up on sources that say nothing.
  void Tick(uint64_t now_us);
  /// Forgets the slot's merge.
  void Cancel(SlotId slot);
  /// Slots whose merge ended before its image was whole, since the last call: somebody else has to be asked.
  std::vector<SlotId> TakeStopped();

 private:
  struct UnderWay {
    MergeStaging staging;
    uint64_t heard_us = 0;
    uint64_t bytes = 0;
  };

  void StartWaiting();
  void Request(SlotId slot, UnderWay* merge);
  void Stop(SlotId slot);

  ShardContext& context_;
  std::map<SlotId, UnderWay> under_way_;
  std::map<SlotId, NodeId> waiting_;
  std::vector<SlotId> stopped_;
};

}  // namespace orrery::replication

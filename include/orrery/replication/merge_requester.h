#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "orrery/replication/merge_staging.h"
#include "orrery/replication/merge_tree.h"
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

  enum class What {
    kWhole,    ///< all rows of the image
    kDiffers,  ///< rows that differ from ours
  };
  /// Fetches the slot's image from the peer, unless one of the slot is being fetched or waits.
  void Want(SlotId slot, NodeId source, What what);
  size_t size() const { return under_way_.size() + waiting_.size(); }
  /// From whom the slot is merged, or is to be; nobody if it is not.
  std::optional<NodeId> SourceOf(SlotId slot) const;
  bool Has(SlotId slot) const { return under_way_.contains(slot) || waiting_.contains(slot); }

  struct Fetched {
    NodeId source;
    SlotImage image;
    std::vector<KeyRange> where{KeyRange{}};  ///< as SlotReplica::Merge has it
  };
  /// A whole image, when this was its last part. A merge that this part ends otherwise is in TakeStopped.
  std::optional<Fetched> OnPart(NodeId from, const MergePartMessage& part);
  /// The same for a merge that compares.
  std::optional<Fetched> OnTree(NodeId from, const MergeTreeMessage& answer);
  void OnPeerDown(NodeId peer);
  /// A part of an image may be on its way: its source is not silent.
  void OnPartOfFrame(NodeId peer);
  /// Gives up on sources that say nothing.
  void Tick(uint64_t now_us);
  /// Forgets the slot's merge.
  void Cancel(SlotId slot);
  /// Slots whose merge ended before its image was whole, since the last call: somebody else has to be asked.
  std::vector<SlotId> TakeStopped();
  /// Own rows that turned out to be unreadable while they were compared, since the last call.
  std::vector<std::pair<SlotId, Status>> TakeDamaged() { return std::exchange(damaged_, {}); }

 private:
  struct UnderWay {
    MergeStaging staging;
    What what = What::kWhole;
    uint64_t heard_us = 0;
    std::unique_ptr<MergeTree> tree;  ///< once the source compares; watches the replica
  };
  struct Waiting {
    NodeId source;
    What what = What::kWhole;
  };

  void StartWaiting();
  void Request(SlotId slot, UnderWay* merge);
  void Stop(SlotId slot);
  MergeTree& TreeOf(SlotId slot, UnderWay* merge);
  Fetched Finish(SlotId slot, NodeId source, UnderWay* merge);
  void Count(SlotId slot, size_t bytes);

  ShardContext& context_;
  std::map<SlotId, UnderWay> under_way_;
  std::map<SlotId, Waiting> waiting_;
  std::vector<SlotId> stopped_;
  std::vector<std::pair<SlotId, Status>> damaged_;
};

}  // namespace orrery::replication

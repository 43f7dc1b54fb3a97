#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "orrery/replication/readable_rows.h"
#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// Serves images of slots to peers that merge from us: rows, clock and voided set of one instant, part by
/// part; or, if the peer has rows itself and the image is not small, as hashes of ranges, and the rows of
/// those that it then asks for (MergeTree is the other side). The instant is just after a commit, when the
/// store has nothing pending, so a first request waits for the turn's end. Of a slot that is set aside it
/// serves what can be read, and says what cannot. Who is no home yet gets it at the pace of transfers. Holds
/// a snapshot per image, so images are few and leave when they are idle. One loop.
class MergeSource {
 public:
  static constexpr size_t kImagesMax = 64;
  static constexpr uint64_t kIdleUs = 30'000'000;

  explicit MergeSource(ShardContext* context) : context_(*context) {}

  void OnRequest(NodeId from, const MergeRequestMessage& request);
  void OnAsk(NodeId from, const MergeAskMessage& ask);
  /// Takes the snapshots that this turn was asked for and sends their first parts.
  void AfterCommit();
  void OnPeerDown(NodeId peer);
  void Tick(uint64_t now_us);
  size_t images() const { return images_.size(); }

  /// Own rows that turned out to be unreadable while they were served, since the last call.
  std::vector<std::pair<SlotId, Status>> TakeDamaged() { return std::exchange(damaged_, {}); }

 private:
  using Key = std::pair<NodeId, SlotId>;
  /// Held back by the pace of transfers.
  struct Late {
    NodeId from;
    std::variant<MergeRequestMessage, MergeAskMessage> message;
  };
  struct Image {
    uint64_t merge_id = 0;
    uint32_t next_part = 0;
    uint64_t used_us = 0;
    causality::SlotClock clock;
    causality::VoidedSet voided;
    std::shared_ptr<const storage::Snapshot> snapshot;
    std::unique_ptr<ReadableRows> rows;  ///< over the snapshot, so it must go first; none if it is compared
    std::vector<KeyRange> unknown;       ///< what the clock says of these is not in the rows, readable or not
  };

  void Fix(const Key& key, const MergeRequestMessage& request,
           const std::shared_ptr<const storage::Snapshot>& snapshot);
  Result<bool> IsWorthComparing(const Image& image, SlotId slot) const;
  void SendRoot(const Key& key, const MergeRequestMessage& request, Image* image);
  void SendTree(const Key& key, Image* image, const std::vector<MergeAskMessage::Want>& wants,
                MergeTreeMessage* answer);
  void DropDamaged(const Key& key, uint64_t merge_id, const Status& damage);
  void SendPart(const Key& key, Image* image);
  Status FillPart(Image* image, MergePartMessage* part) const;
  void SendGone(NodeId to, SlotId slot, uint64_t merge_id);
  bool IsTransfer(const Key& key) const { return !context_.IsHome(key.second, key.first); }
  bool MustWait(const Key& key);
  void Serve(NodeId from, const MergeRequestMessage& request);
  void Serve(NodeId from, const MergeAskMessage& ask);
  void Count(const Key& key, size_t bytes);

  ShardContext& context_;
  std::map<Key, MergeRequestMessage> asked_;  ///< first requests of this turn
  std::map<Key, Image> images_;
  std::deque<Late> late_;
  std::vector<std::pair<SlotId, Status>> damaged_;
};

}  // namespace orrery::replication

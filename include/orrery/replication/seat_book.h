#pragma once

#include <utility>
#include <vector>

#include "orrery/replication/messages.h"
#include "orrery/replication/router.h"
#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// Keeps the shard's seat table: loads it, makes it durable (each loop the records of its own slots), spreads
/// what is new, and compares it with the peers' (docs/ownership-transfer.md). Records that we write ourselves
/// go to all peers once they are on the disk; what gets lost is found by comparing hashes. Every loop has the
/// whole table. One loop.
class SeatBook {
 public:
  /// mesh: null where one loop owns all slots.
  SeatBook(ShardContext* context, LoopMesh* mesh) : context_(*context), mesh_(mesh), next_us_(0) {}

  /// What the store has. To be called before anything else.
  [[nodiscard]] Status Load();

  /// A record of our own, in the pending batch, which has to be synced. It counts here at once.
  void Record(const SeatRecord& record);
  /// Others' records. Returns our slots whose seats changed.
  std::vector<SlotId> Learn(const std::vector<SeatRecord>& records);

  void OnHash(NodeId from, const SeatHashMessage& message);
  void OnDigests(NodeId from, const SeatDigestsMessage& message);
  void OnPeerUp(NodeId peer);
  void OnViewChanged();
  void Tick(uint64_t now_us);

  /// The turn is on the disk: tells everybody what we wrote. Returns our slots whose seats that changed.
  std::vector<SlotId> AfterCommit();

 private:
  void Compare(NodeId peer);
  void OnCompared(NodeId with);
  bool Merge(const SeatRecord& record);

  ShardContext& context_;
  LoopMesh* mesh_;
  std::vector<SeatRecord> written_;  ///< in this turn
  uint64_t next_us_;
};

}  // namespace orrery::replication

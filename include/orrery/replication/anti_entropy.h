#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// The cheap first step of anti-entropy (Dynamo, section 4.7): tells peers clock hash and digest of the slots
/// that both of us are homes of, some slots per tick. A peer that is back hears all of them; otherwise, once
/// per interval, one peer drawn at random. One loop.
class AntiEntropy {
 public:
  static constexpr size_t kEntriesPerMessage = 1024;
  static constexpr size_t kMessagesPerTick = 4;

  explicit AntiEntropy(ShardContext* context) : context_(*context) {}

  /// From the first slot on, at the next ticks; the first message at once.
  void Sweep(NodeId peer);
  /// Unless one is under way.
  void Want(NodeId peer) { sweeps_.emplace(peer, 0); }
  void OnPeerDown(NodeId peer) { sweeps_.erase(peer); }
  void Tick(uint64_t now_us);

  struct Comparison {
    std::vector<SlotId> differ;  ///< clocks are different
    std::vector<SlotId> equal;   ///< clocks are equal
    /// Clocks are equal, and most homes have other rows than we have, the same ones.
    std::vector<SlotId> outvoted;
  };
  /// Compares what a peer says with what we have; counts and logs slots whose clocks are equal but not their
  /// rows.
  Comparison Compare(NodeId from, const SummaryMessage& summary);

 private:
  void Continue(NodeId peer, uint32_t* next_slot, size_t messages);
  void ReportMismatch(NodeId peer, SlotId slot);
  bool IsOutvoted(NodeId peer, SlotId slot, uint64_t ahead);

  ShardContext& context_;
  std::map<NodeId, uint32_t> sweeps_;  ///< peer -> the slot to go on from
  std::set<SlotId> mismatched_;
  /// Slots with a mismatch: by how much a home's digest is ahead of ours. The same events change both digests alike, so what
  /// homes say at different times can be compared.
  std::map<SlotId, std::map<NodeId, uint64_t>> ahead_;
  uint64_t next_us_ = 0;
};

}  // namespace orrery::replication

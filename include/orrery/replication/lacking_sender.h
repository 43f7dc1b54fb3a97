#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// Sends peers what they lack of our slots, out of the backlogs, or tells them that they are too far behind
/// for that. Remembers what is in flight, so that a peer which says its clock twice does not get everything
/// twice. Knows how much it has given to a peer between two ticks; the rest follows later. One loop.
class LackingSender {
 public:
  /// Events in one go to one peer of one slot; the peer asks for more when it has them.
  static constexpr size_t kSlotBytesMax = size_t{1} << 20;
  /// To one peer between two ticks, all slots together.
  static constexpr size_t kPeerBytesMax = size_t{8} << 20;
  /// What was sent this long ago and is not in the peer's clock was not taken.
  static constexpr uint64_t kPatienceUs = 1'000'000;

  explicit LackingSender(ShardContext* context) : context_(*context) {}

  void Send(NodeId peer, SlotId slot, const causality::SlotClock& peer_clock);
  void OnPeerDown(NodeId peer);
  /// Sends what had to wait, and forgets what is old.
  void Tick(uint64_t now_us);

 private:
  using Key = std::pair<NodeId, SlotId>;
  struct InFlight {
    causality::SlotClock upto;  ///< the peer will have this when all that was sent has arrived
    /// The clock at which it was told to merge; until it says another, it is not told again.
    std::optional<causality::SlotClock> told_behind;
    uint64_t until_us = 0;  ///< then it counts as lost
  };

  void SendEvents(const Key& key, const std::vector<causality::EventPtr>& events, InFlight* in_flight);

  ShardContext& context_;
  std::map<Key, InFlight> in_flight_;
  std::map<Key, causality::SlotClock> deferred_;
  std::map<NodeId, size_t> bytes_;  ///< since the last tick
};

}  // namespace orrery::replication

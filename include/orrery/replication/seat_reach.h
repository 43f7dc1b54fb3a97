#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "orrery/replication/messages.h"
#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// Whether the other homes of a slot reach this node: a newcomer that took a seat while another home has no
/// link to it yet would be passed over there, and both would coordinate. Asks them, for a moment; one that
/// does not answer then is away, as far as anybody can tell. Events in, messages out; one loop.
class SeatReach {
 public:
  explicit SeatReach(ShardContext* context) : context_(*context) {}

  /// Whether all other homes have said that they reach us, or have had their time. Asks those that have not.
  bool HomesReachUs(SlotId slot);
  /// Whether it was an answer.
  bool OnMessage(NodeId from, const SeatReachMessage& message);
  void OnPeerUp(NodeId peer) { peers_.erase(peer); }
  void OnPeerDown(NodeId peer) { peers_.erase(peer); }

 private:
  /// Slots are the business of that loop of the peer which has the number slot % loops.
  struct Peer {
    size_t loops = 0;  ///< 0: not known yet
    std::set<size_t> reaching;
    std::map<size_t, uint64_t> ask_again_us;
    uint64_t until_us = 0;
  };

  bool ReachesUs(NodeId home, SlotId slot, uint64_t now_us);

  ShardContext& context_;
  std::map<NodeId, Peer> peers_;
};

}  // namespace orrery::replication

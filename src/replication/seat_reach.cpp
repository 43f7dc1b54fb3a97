#include "orrery/replication/seat_reach.h"

#include "orrery/base/marks.h"

namespace orrery::replication {
namespace {

constexpr uint64_t kPatienceUs = 2'000'000;
constexpr uint64_t kAskAgainUs = 100'000;

}  // namespace

bool SeatReach::HomesReachUs(SlotId slot) {
  const uint64_t now_us = context_.clock->MonotonicUs();
  bool all = true;
  for (const NodeId home : context_.Homes(slot)) {
    if (home != context_.self.node) all &= ReachesUs(home, slot, now_us);
  }
  return all || ORRERY_MUTATION("seats-taken-out-of-reach");
}

bool SeatReach::ReachesUs(NodeId home, SlotId slot, uint64_t now_us) {
  if (context_.view->removed.contains(home)) return true;
  Peer& peer = peers_[home];
  if (peer.until_us == 0) peer.until_us = now_us + kPatienceUs;
  const size_t loop = peer.loops == 0 ? 0 : slot % peer.loops;
  if (peer.loops != 0 && peer.reaching.contains(loop)) return true;
  if (now_us >= peer.until_us) {
    ORRERY_MARK("a seat is taken though another home is not known to reach the taker");
    return true;
  }
  uint64_t& again_us = peer.ask_again_us[loop];
  if (now_us >= again_us) {
    again_us = now_us + kAskAgainUs;
    context_.outbox->Send(home, SeatReachMessage{slot, 0});
  }
  return false;
}

bool SeatReach::OnMessage(NodeId from, const SeatReachMessage& message) {
  if (message.loops == 0) {
    const auto loops = static_cast<uint16_t>(context_.options.loop_count);
    if (context_.InReach(from)) context_.outbox->Send(from, SeatReachMessage{message.slot, loops});
    return false;
  }
  Peer& peer = peers_[from];
  if (peer.loops != message.loops) {
    peer.reaching.clear();
    peer.ask_again_us.clear();
    peer.loops = message.loops;
  }
  peer.reaching.insert(message.slot % peer.loops);
  return true;
}

}  // namespace orrery::replication

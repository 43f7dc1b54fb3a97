#include "orrery/replication/lacking_sender.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "orrery/base/marks.h"

namespace orrery::replication {

using causality::EventPtr;
using causality::SlotClock;

void LackingSender::Send(NodeId peer, SlotId slot, const SlotClock& peer_clock) {
  const Key key{peer, slot};
  const SlotReplica* replica = context_.slots->Find(slot);
  if (replica == nullptr || peer_clock.CoversEveryDotOf(replica->clock())) {
    in_flight_.erase(key);
    deferred_.erase(key);
    return;
  }
  // Frames may come in through another loop's link while ours is down; nothing is in flight then.
  if (!context_.linked.contains(peer)) return;
  const uint64_t now_us = context_.clock->MonotonicUs();
  InFlight& in_flight = in_flight_[key];
  const bool moved_on = in_flight.told_behind && !in_flight.told_behind->CoversEveryDotOf(peer_clock);
  if (moved_on || now_us > in_flight.until_us) in_flight = InFlight();
  SlotClock from = peer_clock;
  from.Join(in_flight.upto);
  if (in_flight.told_behind || from.CoversEveryDotOf(replica->clock())) return;
  if (bytes_[peer] >= kPeerBytesMax) {
    deferred_[key] = peer_clock;
    return;
  }
  in_flight.until_us = std::max(in_flight.until_us, now_us + kPatienceUs);
  const auto events = replica->backlog().Since(from, replica->clock());
  if (!events) {
    ORRERY_MARK("backlog no longer has what a peer lacks");
    in_flight.told_behind = peer_clock;
    context_.outbox->Send(peer, BehindMessage{slot});
    return;
  }
  in_flight.upto = std::move(from);
  SendEvents(key, *events, &in_flight);
}

void LackingSender::SendEvents(const Key& key, const std::vector<EventPtr>& events, InFlight* in_flight) {
  const auto [peer, slot] = key;
  SlotReplica& replica = context_.slots->At(slot);
  size_t bytes = 0;
  for (const EventPtr& event : events) {
    if (bytes >= kSlotBytesMax) {
      ORRERY_MARK("what a peer lacks goes in several rounds");
      // Once the peer has taken these, it answers that it lacks more.
      context_.outbox->SendDurable(peer, ClockMessage{slot, false, replica.clock()});
      break;
    }
    context_.outbox->Send(peer, EventMessage{replica.committed().Get(event->dot.actor), event});
    causality::VersionVector reached;
    reached.Raise(event->dot);
    in_flight->upto.JoinCounters(reached);
    bytes += event->bytes.size();
  }
  in_flight->until_us += ShardContext::TransportUs(bytes);
  bytes_[peer] += bytes;
  if (context_.IsHome(slot, peer)) return;
  context_.stats.given_bytes += bytes;
  context_.pace.Spend(bytes);
}

void LackingSender::OnPeerDown(NodeId peer) {
  std::erase_if(in_flight_, [&](const auto& entry) { return entry.first.first == peer; });
  std::erase_if(deferred_, [&](const auto& entry) { return entry.first.first == peer; });
  bytes_.erase(peer);
}

void LackingSender::Tick(uint64_t now_us) {
  bytes_.clear();
  std::erase_if(in_flight_, [&](const auto& entry) { return now_us > entry.second.until_us; });
  for (const auto& [key, clock] : std::exchange(deferred_, {})) Send(key.first, key.second, clock);
}

}  // namespace orrery::replication

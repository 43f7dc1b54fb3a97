#include "orrery/replication/turn_probes.h"

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"

namespace orrery::replication {

TurnProbes::Peer& TurnProbes::At(NodeId id) {
  for (Peer& peer : peers_) {
    if (peer.id == id) return peer;
  }
  Peer& peer = peers_.emplace_back();
  peer.id = id;
  return peer;
}

bool TurnProbes::MayJoin(NodeId peer, uint64_t count) const {
  return count != 0 && std::any_of(peers_.begin(), peers_.end(), [&](const Peer& known) {
           return known.id == peer && known.count == count;
         });
}

bool TurnProbes::Waits(const Peer& peer, uint64_t now_us) {
  return !peer.asked.empty() && now_us < peer.asked.back().sent_us + kShareUs;
}

void TurnProbes::Send(uint16_t loop, uint16_t loops, uint64_t now_us, Outbox* outbox) {
  for (Peer& peer : peers_) {
    if (!peer.is_wanted && peer.joining.empty()) continue;
    if (Waits(peer, now_us)) {
      ORRERY_MARK("quorum read waited to share the next question");
      continue;
    }
    peer.is_wanted = false;
    outbox->Send(peer.id, TurnProbeMessage{++last_id_, loop, loops});
    if (!peer.joining.empty()) peer.asked.push_back({last_id_, now_us, std::exchange(peer.joining, {})});
  }
}

std::vector<TurnProbes::Asked> TurnProbes::Take(NodeId id, uint64_t question) {
  Peer& peer = At(id);
  std::vector<Asked> slots;
  while (!peer.asked.empty() && peer.asked.front().id <= question) {
    if (peer.asked.front().id == question) slots = std::move(peer.asked.front().slots);
    peer.asked.pop_front();
  }
  return slots;
}

void TurnProbes::Forget(NodeId id) {
  std::erase_if(peers_, [&](const Peer& peer) { return peer.id == id; });
}

}  // namespace orrery::replication

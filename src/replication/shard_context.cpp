#include "orrery/replication/shard_context.h"

#include <algorithm>

namespace orrery::replication {
namespace {

// Commands wait so long at the next owner of a seat; then another home runs them.
constexpr uint64_t kPendingPatienceUs = 1'000'000;

size_t Capped(uint8_t requested, uint8_t configured, size_t seats) {
  return std::clamp<size_t>(requested != 0 ? requested : configured, 1, std::max<size_t>(seats, 1));
}

}  // namespace

std::vector<NodeId> ShardContext::Fallbacks(SlotId slot) const {
  std::vector<NodeId> fallbacks = view->ring->Fallbacks(slot);
  // Else the owners are not those that the ring wants.
  const bool is_as_founded = view->founders == nullptr || view->founders == view->ring;
  if (is_as_founded && !seats.HasRecords(slot)) return fallbacks;
  const auto wanted = view->ring->Homes(slot);
  fallbacks.insert(fallbacks.begin(), wanted.begin(), wanted.end());
  std::erase_if(fallbacks, [&](NodeId node) { return IsHome(slot, node); });
  return fallbacks;
}

bool ShardContext::IsPatientWith(SlotId slot) const {
  const auto since = pending_since_us.find(slot);
  return since != pending_since_us.end() && clock->MonotonicUs() < since->second + kPendingPatienceUs;
}

size_t ShardContext::R(SlotId slot, uint8_t requested) const {
  return Capped(requested, view->read_quorum, seats.ReadSeats(slot));
}

size_t ShardContext::W(SlotId slot, uint8_t requested) const {
  return Capped(requested, view->write_quorum, seats.SeatCount(slot));
}

void ShardContext::TellSeats(NodeId peer, SlotId slot) const {
  if (seats.HasRecords(slot)) outbox->SendDurable(peer, SeatsMessage{seats.RecordsOf(slot)});
}

}  // namespace orrery::replication

#include "orrery/replication/hint_service.h"

#include <algorithm>

#include "orrery/base/marks.h"

namespace orrery::replication {

using causality::Dot;
using causality::EventPtr;
using causality::SlotClock;

namespace {

constexpr uint64_t kOfferIntervalUs = 200'000;
constexpr uint64_t kOfferAgainUs = 1'000'000;
constexpr size_t kOffersAtOnce = 512;
constexpr size_t kDeliverBytesMax = 1 << 20;

}  // namespace

// ---- the fallback's side ----

void HintService::OnHint(NodeId from, const HintMessage& message) {
  const SlotId slot = message.event->slot;
  const Dot& dot = message.event->dot;
  if (message.home == context_.self.node || !Accept(message)) {
    ++context_.stats.hints_refused;
    context_.outbox->SendDurable(from, HintAckMessage{message.home, slot, dot, true});
    return;
  }
  acks_.emplace(from, message.home, slot, dot.actor);
}

// An acknowledged hint stands for everything of its actor since the commit point: a gap would be a lost event.
bool HintService::Accept(const HintMessage& message) {
  const EventPtr& event = message.event;
  const auto range = store_.FindRange(message.home, event->slot, event->dot.actor);
  const bool starts_here = event->dot.counter == message.since + 1;
  if (range && event->dot.counter <= range->last && event->dot.counter >= range->first) return true;
  const bool follows = range && event->dot.counter == range->last + 1 && range->first <= message.since + 1;
  if (!starts_here && !follows) {
    ORRERY_MARK("hint after a gap");
    if (!ORRERY_MUTATION("fallback-acks-over-gap")) return false;
  }
  const Status status = store_.Add(message.home, event->slot, event->dot, event->bytes);
  if (status.ok()) ++context_.stats.hints_stored;
  return status.ok();
}

void HintService::FlushAcks() {
  for (const auto& [peer, home, slot, actor] : acks_) {
    const auto range = store_.FindRange(home, slot, actor);
    if (range) context_.outbox->SendDurable(peer, HintAckMessage{home, slot, {actor, range->last}, false});
  }
  acks_.clear();
}

Status HintService::Keep(NodeId home, const EventPtr& event) {
  ++context_.stats.hints_stored;
  return store_.Add(home, event->slot, event->dot, event->bytes);
}

SlotClock HintService::HintClock(SlotId slot) const {
  causality::VersionVector counters;
  for (const auto& [home, totals] : store_.totals()) {
    for (const auto& range : store_.Ranges(home, slot)) counters.Raise(range.actor, range.last);
  }
  SlotClock clock;
  clock.JoinCounters(counters);
  return clock;
}

std::vector<EventPtr> HintService::Lacking(SlotId slot, const SlotClock& clock) const {
  std::map<Dot, EventPtr> lacking;
  for (const auto& [home, totals] : store_.totals()) {
    for (auto cursor = store_.Scan(home, slot); cursor.Valid(); cursor.Next()) {
      const storage::Hint& hint = cursor.hint();
      if (clock.Covers(hint.dot) || lacking.contains(hint.dot)) continue;
      if (EventPtr event = causality::EventPtrFromBytes(hint.event)) lacking.emplace(hint.dot, std::move(event));
    }
  }
  std::vector<EventPtr> events;
  for (auto& [dot, event] : lacking) events.push_back(std::move(event));
  return events;
}

// ---- handing over ----

void HintService::OnPeerUp(NodeId peer) {
  if (store_.totals().contains(peer)) last_offer_us_ = 0;
}

void HintService::OnPeerDown(NodeId peer) {
  std::erase_if(offered_us_, [&](const auto& entry) { return entry.first.first == peer; });
  std::erase_if(acks_, [&](const auto& ack) { return std::get<0>(ack) == peer; });
}

void HintService::Tick(uint64_t now_us) {
  if (store_.totals().empty() || now_us < last_offer_us_ + kOfferIntervalUs) return;
  last_offer_us_ = now_us;
  std::vector<NodeId> homes;
  for (const auto& [home, totals] : store_.totals()) homes.push_back(home);
  for (NodeId home : homes) Offer(home, now_us);
}

// Whoever should get the hints of a home: itself, or, when the ring has given its slot away, all current homes.
std::vector<NodeId> HintService::ReceiversOf(NodeId home, SlotId slot) const {
  if (context_.IsHome(slot, home)) return {home};
  const auto homes = context_.view->ring->Homes(slot);
  return {homes.begin(), homes.end()};
}

void HintService::Offer(NodeId home, uint64_t now_us) {
  size_t offers = 0;
  for (SlotId slot : store_.Slots(home)) {
    for (NodeId receiver : ReceiversOf(home, slot)) {
      if (receiver == context_.self.node || !context_.InReach(receiver)) continue;
      uint64_t& offered_us = offered_us_[{receiver, slot}];
      if (offered_us != 0 && now_us < offered_us + kOfferAgainUs) continue;
      offered_us = now_us;
      context_.outbox->Send(receiver, HintOfferMessage{slot});
      if (++offers >= kOffersAtOnce) return;
    }
  }
}

void HintService::OnHintOffer(NodeId from, const HintOfferMessage& message) {
  if (!context_.IsHome(message.slot)) return;
  const SlotReplica& replica = context_.slots->At(message.slot);
  const bool trust_memory = context_.options.sync == SyncPolicy::kNo || ORRERY_MUTATION("hints-dropped-on-unsynced-clock");
  context_.outbox->SendDurable(
      from, HintWantMessage{message.slot, replica.clock(), trust_memory ? replica.clock() : replica.synced()});
}

void HintService::OnHintWant(NodeId from, const HintWantMessage& message) {
  offered_us_.erase({from, message.slot});
  std::vector<NodeId> hinted;
  for (const auto& [home, totals] : store_.totals()) {
    const auto receivers = ReceiversOf(home, message.slot);
    if (std::find(receivers.begin(), receivers.end(), from) != receivers.end()) hinted.push_back(home);
  }
  for (NodeId home : hinted) {
    for (const auto& range : store_.Ranges(home, message.slot)) {
      // The synced clock is cumulative: what it covers of the actor is a prefix of what we keep.
      const uint64_t synced = message.synced.IsClosed(range.actor) ? range.last : message.synced.Get(range.actor);
      if (synced < range.first) continue;
      const Status removed = store_.Remove(home, message.slot, {range.actor, std::min(synced, range.last)});
      if (!removed.ok() && context_.log) context_.log("cannot remove hints: " + removed.message());
    }
    Deliver(from, home, message.slot, message.clock);
  }
}

void HintService::Deliver(NodeId to, NodeId hinted_home, SlotId slot, const SlotClock& clock) {
  std::map<causality::Actor, uint64_t> reached;
  size_t bytes = 0;
  bool delivered = false;
  for (auto cursor = store_.Scan(hinted_home, slot); cursor.Valid() && bytes < kDeliverBytesMax; cursor.Next()) {
    const storage::Hint& hint = cursor.hint();
    if (clock.Covers(hint.dot)) continue;
    const auto [it, first] = reached.try_emplace(hint.dot.actor, clock.Get(hint.dot.actor));
    if (hint.dot.counter != it->second + 1) {
      // The events before it are on W nodes; the home gets them from those, and this one at a later offer.
      ORRERY_MARK("hint waits for what comes before it");
      continue;
    }
    EventPtr event = causality::EventPtrFromBytes(hint.event);
    if (!event) continue;
    it->second = hint.dot.counter;
    bytes += hint.event.size();
    ++context_.stats.hints_delivered;
    delivered = true;
    context_.outbox->Send(to, EventMessage{0, std::move(event)});
  }
  // More of the slot may wait behind what was just sent; else the home's disk is what we wait for.
  if (delivered) last_offer_us_ = 0;
}

}  // namespace orrery::replication

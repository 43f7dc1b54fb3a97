#include "orrery/replication/hint_delivery.h"

#include <algorithm>
#include <functional>

#include "orrery/base/marks.h"

namespace orrery::replication {

using causality::Actor;
using causality::Dot;
using causality::EventPtr;
using causality::SlotClock;
using Range = storage::HintStore::Range;

namespace {

uint64_t CoveredOf(const SlotClock& clock, const Range& range) {
  return clock.IsClosed(range.actor) ? range.last : std::min(clock.Get(range.actor), range.last);
}

}  // namespace

// ---- whom to offer what ----

std::vector<NodeId> HintDelivery::FiledUnder(NodeId peer, SlotId slot) const {
  std::vector<NodeId> homes;
  if (!context_.IsHome(slot, peer)) return homes;
  for (const auto& [home, totals] : store_.totals()) {
    if (home == peer || !context_.IsHome(slot, home)) homes.push_back(home);
  }
  return homes;
}

bool HintDelivery::HasHints(NodeId peer, SlotId slot) const {
  const auto homes = FiledUnder(peer, slot);
  return std::any_of(homes.begin(), homes.end(),
                     [&](NodeId home) { return !store_.Ranges(home, slot).empty(); });
}

std::map<NodeId, std::set<SlotId>> HintDelivery::FindDue() const {
  std::map<NodeId, std::set<SlotId>> due;
  const auto add = [&](NodeId receiver, SlotId slot) {
    if (context_.linked.contains(receiver)) due[receiver].insert(slot);
  };
  for (const auto& [home, totals] : store_.totals()) {
    for (const SlotId slot : store_.Slots(home)) {
      if (context_.IsHome(slot, home)) {
        add(home, slot);
        continue;
      }
      ORRERY_MARK("hint whose home is no longer a home");
      for (const NodeId current : context_.Homes(slot)) add(current, slot);
    }
  }
  return due;
}

void HintDelivery::OnPeerUp(NodeId peer) {
  if (store_.totals().empty()) return;
  Refill(peer, std::move(FindDue()[peer]), context_.clock->MonotonicUs());
}

void HintDelivery::OnPeerDown(NodeId peer) {
  std::erase_if(offers_, [&](const auto& entry) { return entry.first.first == peer; });
  due_.erase(peer);
  under_way_.erase(peer);
  bytes_.erase(peer);
}

void HintDelivery::Tick(uint64_t now_us) {
  bytes_.clear();
  if (store_.totals().empty()) {
    offers_.clear();
    due_.clear();
    under_way_.clear();
    return;
  }
  if (now_us < next_walk_us_) return ResumeAll(now_us);
  next_walk_us_ = now_us + kAgainUs;
  auto due = FindDue();
  for (const NodeId peer : context_.linked) Refill(peer, std::move(due[peer]), now_us);
}

// Those whose bytes of the last tick were used up.
void HintDelivery::ResumeAll(uint64_t now_us) {
  for (const NodeId peer : context_.linked) {
    if (due_.contains(peer)) OfferMore(peer, now_us);
  }
}

// Takes over what is due now, but for slots under way or told to wait; unanswered offers are given up.
void HintDelivery::Refill(NodeId peer, std::set<SlotId> due, uint64_t now_us) {
  size_t under_way = 0;
  for (auto it = offers_.lower_bound({peer, 0}); it != offers_.end() && it->first.first == peer;) {
    const Offer& offer = it->second;
    const bool alive = offer.under_way ? now_us <= offer.at_us + kPatienceUs : now_us < offer.at_us;
    if (!alive) {
      it = offers_.erase(it);
      continue;
    }
    if (offer.under_way) ++under_way;
    due.erase(it->first.second);
    ++it;
  }
  due_[peer] = std::move(due);
  under_way_[peer] = under_way;
  OfferMore(peer, now_us);
}

void HintDelivery::OfferMore(NodeId peer, uint64_t now_us) {
  std::set<SlotId>& due = due_[peer];
  while (!due.empty() && under_way_[peer] < kOffersMax && bytes_[peer] < kPeerBytesMax) {
    MakeOffer(peer, *due.begin(), now_us);
    due.erase(due.begin());
  }
}

void HintDelivery::MakeOffer(NodeId peer, SlotId slot, uint64_t now_us) {
  ++under_way_[peer];
  offers_[{peer, slot}] = {true, now_us};
  context_.outbox->Send(peer, HintOfferMessage{slot});
}

// ---- the home's answer ----

void HintDelivery::OnWant(NodeId from, const HintWantMessage& want) {
  const uint64_t now_us = context_.clock->MonotonicUs();
  const auto offer = offers_.find({from, want.slot});
  const bool asked = offer != offers_.end() && offer->second.under_way;
  if (asked) {
    --under_way_[from];
    offers_.erase(offer);
  }
  runs_.LearnSynced(from, want.slot, want.synced);
  Drop(from, want);
  if (asked && HasHints(from, want.slot)) {
    if (SendFollowing(from, want) > 0) {
      MakeOffer(from, want.slot, now_us);
    } else {
      // The home has it all but not on disk yet, or lacks what comes before: other homes have that.
      offers_[{from, want.slot}] = {false, now_us + kAgainUs};
      TellOfEndedLives(from, want);
    }
  }
  OfferMore(from, now_us);
}

void HintDelivery::Drop(NodeId from, const HintWantMessage& want) {
  for (const NodeId home : FiledUnder(from, want.slot)) {
    for (const Range& range : store_.Ranges(home, want.slot)) {
      const uint64_t upto = SafeAt(home, want.slot, range);
      if (upto < range.first) continue;
      const Status removed = store_.Remove(home, want.slot, {range.actor, upto});
      if (!removed.ok()) {
        if (context_.log) context_.log("cannot drop hints: " + removed.message());
        continue;
      }
      const auto left = store_.FindRange(home, want.slot, range.actor);
      context_.stats.hints_delivered += range.count - (left ? left->count : 0);
    }
  }
}

// Up to where the stream is on the disks that it was kept for.
uint64_t HintDelivery::SafeAt(NodeId home, SlotId slot, const Range& range) const {
  if (!context_.IsHome(slot, home)) return OnCurrentHomes(slot, range);
  const SlotClock* synced = runs_.Synced(home, slot);
  return synced == nullptr ? 0 : CoveredOf(*synced, range);
}

uint64_t HintDelivery::OnCurrentHomes(SlotId slot, const Range& range) const {
  std::vector<uint64_t> upto;
  for (const NodeId home : context_.Homes(slot)) {
    if (home == context_.self.node) {
      const SlotReplica* own = context_.slots->Find(slot);
      if (own == nullptr) continue;
      upto.push_back(CoveredOf(context_.OnDisk(*own), range));
    } else if (const SlotClock* synced = runs_.Synced(home, slot)) {
      upto.push_back(CoveredOf(*synced, range));
    }
  }
  const size_t w = context_.W(slot);
  if (upto.size() < w) return 0;
  std::sort(upto.begin(), upto.end(), std::greater<>());
  return upto[w - 1];
}

// ---- sending ----

size_t HintDelivery::SendFollowing(NodeId to, const HintWantMessage& want) {
  size_t bytes = 0;
  for (const NodeId home : FiledUnder(to, want.slot)) {
    for (const Range& range : store_.Ranges(home, want.slot)) {
      if (bytes >= kSlotBytesMax || bytes_[to] >= kPeerBytesMax) return bytes;
      const uint64_t has = CoveredOf(want.clock, range);
      if (has >= range.last) continue;
      const size_t sent = SendStream(to, home, want.slot, {range.actor, has + 1});
      bytes += sent;
      bytes_[to] += sent;
    }
  }
  return bytes;
}

// Power cuts may have taken from every home all that it had of a life. Where nobody knows of it, nobody closes it, and
// its later hints would stay for ever: an event that comes too early to be applied tells of it.
void HintDelivery::TellOfEndedLives(NodeId to, const HintWantMessage& want) {
  for (const NodeId home : FiledUnder(to, want.slot)) {
    for (const Range& range : store_.Ranges(home, want.slot)) {
      if (CoveredOf(want.clock, range) + 1 >= range.first || !context_.lives.IsOver(range.actor)) continue;
      const auto cursor = store_.Scan(home, want.slot, {range.actor, range.first});
      const EventPtr event = cursor.Valid() ? causality::EventPtrFromBytes(cursor.hint().event) : nullptr;
      if (!event) continue;
      for (const NodeId reader : context_.Homes(want.slot)) {
        if (context_.linked.contains(reader)) context_.outbox->Send(reader, EventMessage{0, event});
      }
    }
  }
}

// Stops at a hole: what comes after it would only be early.
size_t HintDelivery::SendStream(NodeId to, NodeId home, SlotId slot, const Dot& first) {
  size_t bytes = 0;
  uint64_t next = first.counter;
  auto cursor = store_.Scan(home, slot, first);
  for (; cursor.Valid() && cursor.hint().dot.counter == next && bytes < kSlotBytesMax;
       cursor.Next(), ++next) {
    const EventPtr event = causality::EventPtrFromBytes(cursor.hint().event);
    if (!event) {
      if (context_.log) context_.log("a stored hint does not decode");
      return bytes;
    }
    context_.outbox->Send(to, EventMessage{0, event});
    bytes += event->bytes.size();
  }
  if (!cursor.status().ok() && context_.log) context_.log("cannot read hints: " + cursor.status().message());
  return bytes;
}

}  // namespace orrery::replication

#include "orrery/replication/hint_service.h"

#include <algorithm>
#include <set>

#include "orrery/base/marks.h"
#include "orrery/replication/slot_loss.h"

namespace orrery::replication {

using causality::Dot;
using causality::EventPtr;
using causality::SlotClock;

namespace {

// As often as each home has then compared its slots with some other, and with each of them when it came into reach.
constexpr uint64_t kRoundsAfterLoss = 3;

}  // namespace

HintService::HintService(ShardContext* context, storage::HintStore* store)
    : context_(*context), store_(*store), runs_(store), delivery_(context, store, &runs_) {}

// ---- taking hints ----

void HintService::OnHint(NodeId from, const HintMessage& message) {
  const Dot& dot = message.event->dot;
  const SlotId slot = message.event->slot;
  if (message.home == context_.self.node) {
    ORRERY_MARK("hint for the node that gets it");
    return Refuse(from, message);
  }
  if (context_.seals.Forbids(slot, dot)) {
    ORRERY_MARK("hint of a life that is being closed");
    return Refuse(from, message);
  }
  uint64_t safe = runs_.SafeThrough(message.home, slot, dot.actor, message.since);
  const bool follows = safe + 1 == dot.counter || ORRERY_MUTATION("fallback-acks-over-gap");
  if (safe < dot.counter && !ORRERY_MUTATION("hints-acknowledged-and-forgotten")) {
    if (!follows) {
      ORRERY_MARK("hint after a gap");
      return Refuse(from, message);
    }
    if (!Add(message.home, message.event).ok()) {
      ORRERY_MARK("hint store cannot take more");
      return Refuse(from, message);
    }
    safe = dot.counter;
  }
  if (ORRERY_MUTATION("hints-acknowledged-and-forgotten")) safe = std::max(safe, dot.counter);
  Ack& ack = acks_[{from, message.home, slot, dot.actor}];
  ack.upto = std::max(ack.upto, safe);
}

void HintService::Refuse(NodeId from, const HintMessage& message) {
  ++context_.stats.hints_refused;
  Ack& ack = acks_[{from, message.home, message.event->slot, message.event->dot.actor}];
  if (ack.refused == 0) ack.refused = message.event->dot.counter;
}

Status HintService::Keep(NodeId home, const EventPtr& event) {
  if (home == context_.self.node) return Status::Invalid("a home keeps no hints for itself");
  runs_.WillAdd(home, event->slot, event->dot);
  return Added(store_.AddOwn(home, event->slot, event->dot, event->bytes));
}

Status HintService::Add(NodeId home, const EventPtr& event) {
  runs_.WillAdd(home, event->slot, event->dot);
  return Added(store_.Add(home, event->slot, event->dot, event->bytes));
}

Status HintService::Added(Status status) {
  if (status.ok()) {
    ++context_.stats.hints_stored;
  } else if (context_.log && status.code() != StatusCode::kFull) {
    context_.log("cannot keep a hint: " + status.message());
  }
  return status;
}

// What was taken is acknowledged before what was refused: the refusal makes the coordinator look elsewhere.
void HintService::FlushAcks() {
  for (const auto& [key, ack] : acks_) {
    const auto [peer, home, slot, actor] = key;
    if (ack.upto > 0)
      context_.outbox->SendDurable(peer, HintAckMessage{home, slot, {actor, ack.upto}, false});
    if (ack.refused > 0)
      context_.outbox->SendDurable(peer, HintAckMessage{home, slot, {actor, ack.refused}, true});
  }
  acks_.clear();
}

// ---- quorum reads in place of a home ----

SlotClock HintService::HintClock(SlotId slot) const {
  SlotClock clock;
  for (const auto& [home, totals] : store_.totals()) {
    for (const auto& range : store_.Ranges(home, slot)) clock.Raise({range.actor, range.last});
  }
  return clock;
}

std::vector<EventPtr> HintService::Lacking(SlotId slot, const SlotClock& clock) const {
  std::map<Dot, EventPtr> found;
  size_t bytes = 0;
  for (const auto& [home, totals] : store_.totals()) {
    for (const auto& range : store_.Ranges(home, slot)) {
      if (clock.Covers({range.actor, range.last})) continue;
      auto cursor = store_.Scan(home, slot, {range.actor, clock.Get(range.actor) + 1});
      for (; cursor.Valid() && bytes < kLackingBytesMax; cursor.Next()) {
        EventPtr event = causality::EventPtrFromBytes(cursor.hint().event);
        if (!event) break;
        const size_t event_bytes = event->bytes.size();
        if (found.emplace(cursor.hint().dot, std::move(event)).second) bytes += event_bytes;
      }
    }
  }
  std::vector<EventPtr> events;
  for (auto& [dot, event] : found) events.push_back(std::move(event));
  return events;
}

std::vector<SlotId> HintService::HintedSlots() const {
  std::set<SlotId> slots;
  for (const auto& [home, totals] : store_.totals()) {
    for (SlotId slot : store_.Slots(home)) slots.insert(slot);
  }
  return {slots.begin(), slots.end()};
}

bool HintService::HoldsNext(SlotId slot, const EndedLives& lives) const {
  for (const auto& [home, totals] : store_.totals()) {
    for (const auto& range : store_.Ranges(home, slot)) {
      const uint64_t next = lives.counters.Get(range.actor) + 1;
      if (!lives.Has(range.actor) || next < range.first || next > range.last) continue;
      auto cursor = store_.Scan(home, slot, {range.actor, next});
      // What cannot be read may be that one.
      if (!cursor.status().ok() || (cursor.Valid() && cursor.hint().dot == Dot{range.actor, next}))
        return true;
    }
  }
  return false;
}

// ---- as a home ----

void HintService::OnHintOffer(NodeId from, const HintOfferMessage& message) {
  if (!context_.IsHome(message.slot)) return;
  const SlotReplica& replica = context_.slots->At(message.slot);
  if (replica.is_aside()) return;
  // The answer leaves after the commit; only with everysec is what was committed not yet on disk then (or,
  // with no, never known to be).
  const bool mistaken = ORRERY_MUTATION("hints-dropped-on-unsynced-clock");
  context_.outbox->SendDurable(from, HintWantMessage{message.slot, replica.clock(),
                                                     mistaken ? replica.clock() : context_.OnDisk(replica)});
}

void HintService::Tick(uint64_t now_us) {
  delivery_.Tick(now_us);
  if (!has_lost_) return;
  const auto& members = context_.view->members;
  const bool together =
      std::all_of(members.begin(), members.end(), [&](const auto& member) { return context_.InReach(member.id); });
  if (!together) {
    together_since_us_ = 0;
  } else if (together_since_us_ == 0) {
    together_since_us_ = now_us;
  } else if (now_us > together_since_us_ + kRoundsAfterLoss * context_.options.anti_entropy_interval_us) {
    has_lost_ = false;
    if (context_.options.loop_index == 0) ForgetLostHints(context_.store);
  }
}

void HintService::OnPeerDown(NodeId peer) {
  delivery_.OnPeerDown(peer);
  std::erase_if(acks_, [&](const auto& entry) { return entry.first.peer == peer; });
}

}  // namespace orrery::replication

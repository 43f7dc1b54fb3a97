#include "orrery/replication/seat_giver.h"

#include <algorithm>

#include "orrery/base/marks.h"

namespace orrery::replication {

namespace {

// So much may be missing at the taker when the seat is given: it is sent in between, while nobody
// coordinates.
constexpr size_t kNearBytes = size_t{256} << 10;
// Commands are held so long at most for what was begun before them.
constexpr uint64_t kClosingUs = 300'000;
constexpr uint64_t kOfferUs = 300'000;
constexpr size_t kOffersPerTick = 1024;

}  // namespace

// ---- giving ----

void SeatGiver::AnswerAsks() {
  std::map<SeatId, Ask> again;
  while (!asks_.empty() && context_.pace.TryTake()) {
    auto it = asks_.lower_bound(next_ask_);
    if (it == asks_.end()) it = asks_.begin();
    const Ask ask = std::move(it->second);
    it = asks_.erase(it);
    next_ask_ = it == asks_.end() ? SeatId{} : it->first;
    if (auto later = Answer(ask.from, ask.message)) again[{ask.message.slot, ask.message.index}] = {ask.from, *later};
  }
  asks_.merge(again);
}

// Returns what to answer with the next tick, if that is more than a pause for clients may bring.
std::optional<SeatAskMessage> SeatGiver::Answer(NodeId from, const SeatAskMessage& ask) {
  const SlotId slot = ask.slot;
  const Seat seat = context_.seats.SeatAt(slot, ask.index);
  if (context_.slots->At(slot).is_aside()) return std::nullopt;
  const bool given_before =
      seat.version == ask.version + 1 && seat.owner == from && seat.giver == context_.self.node;
  if (given_before) {
    SendGiven(from, slot, ask.index, seat.version);
    return std::nullopt;
  }
  if (!Agrees(slot, from, ask)) {
    context_.TellSeats(from, slot);
    return std::nullopt;
  }
  if (closings_.contains(slot) || catch_up_.Merging(slot)) return std::nullopt;
  const Distance distance = DistanceOf(from, ask);
  if (distance == Distance::kOnItsWay) {
    ORRERY_MARK("a seat of a busy slot waits for what its taker lacks");
    SeatAskMessage later = ask;
    later.clock = context_.slots->At(slot).clock();
    return later;
  }
  if (distance == Distance::kFar) return std::nullopt;
  const bool keeps = KeepsASeat(slot, ask.index);
  closings_[slot] = {ask, from, keeps, context_.clock->MonotonicUs() + kClosingUs};
  if (!keeps) context_.closing.Insert(slot);
  return std::nullopt;
}

// Whether the handover is right in our view, too.
bool SeatGiver::Agrees(SlotId slot, NodeId taker, const SeatAskMessage& ask) const {
  if (!context_.InService(slot) || context_.seats.HasPending(slot)) return false;
  const auto handovers = PlanHandovers(context_.seats, slot, context_.view->ring->Homes(slot));
  return std::any_of(handovers.begin(), handovers.end(), [&](const Handover& h) {
    return h.index == ask.index && h.version == ask.version && h.giver == context_.self.node &&
           h.taker == taker;
  });
}

// Sends what the taker lacks. If that is so little that the seat may be given at once: kNear.
SeatGiver::Distance SeatGiver::DistanceOf(NodeId taker, const SeatAskMessage& ask) {
  const SlotReplica* replica = context_.slots->Find(ask.slot);
  if (replica == nullptr || ask.clock.CoversEveryDotOf(replica->clock())) return Distance::kNear;
  causality::SlotClock from = ask.clock;
  const auto events = replica->backlog().Since(from, replica->clock());
  catch_up_.SendLacking(taker, ask.slot, ask.clock);
  if (!events) return Distance::kFar;
  size_t bytes = 0;
  for (const auto& event : *events) bytes += event->bytes.size();
  return bytes <= kNearBytes ? Distance::kNear : Distance::kOnItsWay;
}

bool SeatGiver::KeepsASeat(SlotId slot, uint8_t index) const {
  for (uint8_t other = 0; other < context_.seats.SeatsEnd(slot); ++other) {
    if (other != index && context_.seats.SeatAt(slot, other).owner == context_.self.node) return true;
  }
  return false;
}

void SeatGiver::StopClosing(SlotId slot) {
  if (closings_.erase(slot) == 0) return;
  context_.closing.Erase(slot);
  coordinator_.LookAt(slot);
}

void SeatGiver::BeforeCommit() {
  const uint64_t now_us = closings_.empty() ? 0 : context_.clock->MonotonicUs();
  for (auto it = closings_.begin(); it != closings_.end();) {
    const auto& [slot, closing] = *it;
    if (!Agrees(slot, closing.taker, closing.ask) || now_us > closing.until_us) {
      ORRERY_MARK("a seat was not given after all");
      const SlotId stopped = (it++)->first;
      StopClosing(stopped);
      continue;
    }
    if (!closing.keeps_a_seat && !coordinator_.IsIdle(slot) && !ORRERY_MUTATION("given-while-commands-run")) {
      ++it;
      continue;
    }
    const uint64_t version = closing.ask.version + 1;
    catch_up_.SendLacking(closing.taker, slot, closing.ask.clock);
    book_.Record({slot, closing.ask.index, {version, closing.taker, false, context_.self.node}});
    given_.push_back({closing.taker, {slot, closing.ask.index, version, context_.slots->At(slot).clock()}});
    ++context_.stats.seats_given;
    context_.closing.Erase(slot);
    it = closings_.erase(it);
  }
}

// The records have left before.
void SeatGiver::AfterCommit() {
  for (const Given& given : given_) context_.outbox->SendDurable(given.taker, given.message);
  given_.clear();
}

// Once given, nothing is added to the slot here, so that its clock is still the last one.
void SeatGiver::SendGiven(NodeId taker, SlotId slot, uint8_t index, uint64_t version) {
  ORRERY_MARK("a seat that was given is asked for again");
  context_.outbox->SendDurable(taker, SeatsMessage{context_.seats.RecordsOf(slot)});
  context_.outbox->SendDurable(taker,
                               SeatGivenMessage{slot, index, version, context_.slots->At(slot).clock()});
}

// ---- what is left ----

void SeatGiver::PlanGift(SlotId slot) {
  to_give_.Erase(slot);
  if (!context_.IsHome(slot)) return;
  for (const Handover& handover : PlanHandovers(context_.seats, slot, context_.view->ring->Homes(slot))) {
    if (handover.giver == context_.self.node) to_give_.Insert(slot);
  }
}

void SeatGiver::Plan(SlotId slot, bool was_copied) {
  PlanGift(slot);
  const SlotReplica* replica = context_.slots->Find(slot);
  // Without records it has only what it made itself in place of homes, which is all in hints, too.
  const bool has_rows = (was_copied || context_.seats.HasRecords(slot)) && replica != nullptr &&
                        (!replica->clock().empty() || replica->is_aside());
  if (!has_rows || context_.IsHome(slot) || context_.taking.Contains(slot)) {
    leftovers_.erase(slot);
  } else {
    // What was true for other owners is not for these.
    leftovers_[slot].clear();
  }
}

void SeatGiver::Tick(uint64_t now_us) {
  AnswerAsks();
  if (now_us < next_us_ || leftovers_.empty()) return;
  next_us_ = now_us + kOfferUs;
  auto it = leftovers_.lower_bound(next_leftover_);
  for (size_t i = 0; i < std::min(kOffersPerTick, leftovers_.size()); ++i) {
    if (it == leftovers_.end()) it = leftovers_.begin();
    for (const NodeId home : context_.Homes(it->first)) {
      if (context_.linked.contains(home)) context_.outbox->Send(home, HintOfferMessage{it->first});
    }
    ++it;
  }
  next_leftover_ = it == leftovers_.end() ? SlotId{0} : it->first;
}

// Nothing is dropped that is not on W homes' disks, whoever gave the seat to whom.
void SeatGiver::OnWant(NodeId from, const HintWantMessage& want) {
  const auto it = leftovers_.find(want.slot);
  if (it == leftovers_.end() || !context_.IsHome(want.slot, from)) return;
  // A seat of it is coming back, and what we have counts there.
  if (context_.taking.Contains(want.slot)) return;
  const SlotReplica& replica = context_.slots->At(want.slot);
  if (replica.is_aside()) return;
  if (!want.clock.CoversEveryDotOf(replica.clock())) catch_up_.SendLacking(from, want.slot, want.clock);
  if (!context_.InService(want.slot, from) || !want.synced.CoversEveryDotOf(replica.clock())) return;
  it->second.insert(from);
  if (context_.seats.HasPending(want.slot) && !ORRERY_MUTATION("dropped-before-in-service")) return;
  if (it->second.size() >= context_.W(want.slot)) Drop(want.slot);
}

void SeatGiver::Drop(SlotId slot) {
  ORRERY_MARK("a slot was dropped");
  ++context_.stats.slots_dropped;
  leftovers_.erase(slot);
  context_.slots->Drop(slot);
  coordinator_.OnSlotReset(slot);
}

}  // namespace orrery::replication

#include "orrery/replication/seat_taker.h"

#include <algorithm>

#include "orrery/base/marks.h"

namespace orrery::replication {

using causality::SlotClock;

namespace {

// Of images fewer are fetched at a time (MergeRequester).
constexpr size_t kUnderWayMax = 512;
// What was asked for and not answered is asked for again.
constexpr uint64_t kAgainUs = 500'000;

}  // namespace

const SlotClock& SeatTaker::ClockOf(SlotId slot) const {
  return context_.slots->At(slot).clock();
}

// ---- what to take ----

void SeatTaker::Plan(SlotId slot) {
  if (context_.IsHome(slot)) {
    context_.taking.Erase(slot);
    todo_.erase(slot);
    if (!PlanOwn(slot)) Forget(slot);
    return;
  }
  const auto handovers = PlanHandovers(context_.seats, slot, context_.view->ring->Homes(slot));
  const auto ours = std::find_if(handovers.begin(), handovers.end(),
                                 [&](const Handover& h) { return h.taker == context_.self.node; });
  if (ours == handovers.end()) return Cancel(slot);
  const auto known = takes_.find(slot);
  if (known != takes_.end() && !known->second.is_ours && known->second.handover == *ours) return;
  Forget(slot);
  todo_.insert(slot);
  may_begin_ = true;
}

// A seat that is ours and waits for us to cover what its giver promised.
bool SeatTaker::PlanOwn(SlotId slot) {
  if (!context_.seats.HasRecords(slot)) return false;
  for (uint8_t index = 0; index < context_.seats.SeatsEnd(slot); ++index) {
    const Seat seat = context_.seats.SeatAt(slot, index);
    if (seat.owner != context_.self.node || seat.in_service) continue;
    const Handover handover{index, seat.version, seat.giver, context_.self.node, false};
    const auto known = takes_.find(slot);
    if (known == takes_.end() || !known->second.is_ours || known->second.handover != handover) {
      Begin(slot, handover, true);
    }
    return true;
  }
  return false;
}

void SeatTaker::Cancel(SlotId slot) {
  todo_.erase(slot);
  if (takes_.contains(slot)) ORRERY_MARK("a copy under way is not wanted any more");
  Forget(slot);
  context_.taking.Erase(slot);
}

void SeatTaker::Forget(SlotId slot) {
  takes_.erase(slot);
  context_.transferring.Erase(slot);
}

void SeatTaker::Begin(SlotId slot, const Handover& handover, bool is_ours) {
  context_.transferring.Insert(slot);
  Take& take = takes_[slot] = Take{};
  take.handover = handover;
  take.is_ours = is_ours;
  if (!is_ours) {
    context_.taking.Insert(slot);
    copied_.Insert(slot);
  }
  Push(slot, &take, context_.clock->MonotonicUs());
}

void SeatTaker::BeginMore() {
  for (auto it = todo_.begin(); it != todo_.end() && takes_.size() < kUnderWayMax;) {
    const SlotId slot = *it;
    const auto handovers = PlanHandovers(context_.seats, slot, context_.view->ring->Homes(slot));
    const auto ours = std::find_if(handovers.begin(), handovers.end(),
                                   [&](const Handover& h) { return h.taker == context_.self.node; });
    if (ours == handovers.end()) {
      it = todo_.erase(it);
      continue;
    }
    const bool has_giver = IsRemoved(ours->giver) || context_.linked.contains(ours->giver);
    if (!has_giver || !reach_.HomesReachUs(slot)) {
      ++it;
      continue;
    }
    if (!context_.pace.TryTake()) return;
    it = todo_.erase(it);
    Begin(slot, *ours, false);
  }
  may_begin_ = takes_.size() >= kUnderWayMax;
}

// ---- one take ----

// Known to be, that is: of whom we have not heard yet we know nothing.
bool SeatTaker::IsRemoved(NodeId node) const {
  return context_.view->removed.contains(node);
}

// Whether nobody is left to give the seat, or to say how far it had come.
bool SeatTaker::IsClaim(const Take& take) const {
  return !take.handover.giver || IsRemoved(take.handover.giver);
}

void SeatTaker::Push(SlotId slot, Take* take, uint64_t now_us) {
  take->next_us = now_us + kAgainUs;
  if (IsClaim(*take)) return PushClaim(slot, take);
  const Handover& handover = take->handover;
  if (take->last) {
    if (!ClockOf(slot).CoversEveryDotOf(*take->last)) catch_up_.AskFor(handover.giver, slot);
    checks_.Insert(slot);
    return;
  }
  if (catch_up_.Merging(slot)) return;
  const uint64_t version = take->is_ours ? handover.version - 1 : handover.version;
  context_.outbox->SendDurable(handover.giver, SeatAskMessage{slot, handover.index, version, ClockOf(slot)});
}

void SeatTaker::OnGiven(NodeId from, const SeatGivenMessage& message) {
  const auto it = takes_.find(message.slot);
  if (it == takes_.end() || !it->second.is_ours) return;
  Take& take = it->second;
  const bool fits = take.handover.index == message.index && take.handover.version == message.version &&
                    take.handover.giver == from;
  if (!fits) return;
  take.last = message.clock;
  Push(message.slot, &take, context_.clock->MonotonicUs());
}

void SeatTaker::OnAdvanced(SlotId slot) {
  if (takes_.contains(slot)) checks_.Insert(slot);
}

void SeatTaker::OnSlotReset(SlotId slot) {
  const auto it = takes_.find(slot);
  if (it == takes_.end()) return;
  it->second.homes_covered.clear();
  it->second.hints_covered.clear();
}

void SeatTaker::OnCopied(SlotId slot) {
  const auto it = takes_.find(slot);
  if (it == takes_.end() || it->second.is_ours) return;
  it->second.next_us = 0;
  checks_.Insert(slot);
}

// ---- claiming ----

// Whatever was acknowledged is on W seats or in hints. Of the seats at least W-1 are among the others, and
// N-W+1 of these meet every W-1 of them.
void SeatTaker::PushClaim(SlotId slot, Take* take) {
  const uint64_t probe = ++next_probe_;
  if (take->first_probe == 0) take->first_probe = probe;
  for (const auto& event : hints_.Lacking(slot, ClockOf(slot))) {
    catch_up_.OnEvent(context_.self.node, EventMessage{0, event});
  }
  for (const NodeId home : context_.Homes(slot)) {
    if (home != context_.self.node && context_.InService(slot, home))
      context_.outbox->Send(home, HintOfferMessage{slot});
  }
  for (const auto& member : context_.view->members) {
    if (member.id == context_.self.node) continue;
    context_.outbox->SendDurable(member.id, ProbeMessage{slot, probe, true, ClockOf(slot)});
  }
  checks_.Insert(slot);
}

void SeatTaker::OnWant(NodeId from, const HintWantMessage& want) {
  const auto it = takes_.find(want.slot);
  if (it == takes_.end() || !IsClaim(it->second) || !context_.InService(want.slot, from)) return;
  if (ClockOf(want.slot).CoversEveryDotOf(want.clock)) {
    it->second.homes_covered.insert(from);
    checks_.Insert(want.slot);
  } else {
    catch_up_.AskFor(from, want.slot);
  }
}

void SeatTaker::OnHints(NodeId from, const ProbeReplyMessage& reply) {
  const auto it = takes_.find(reply.slot);
  // An answer may take longer than it takes us to ask again.
  if (it == takes_.end() || !IsClaim(it->second) || reply.probe_id < it->second.first_probe) return;
  if (!ClockOf(reply.slot).CoversEveryDotOf(reply.clock)) return;
  it->second.hints_covered.insert(from);
  checks_.Insert(reply.slot);
}

bool SeatTaker::MayClaim(SlotId slot, const Take& take) const {
  const auto& members = context_.view->members;
  const bool all_hints = std::all_of(members.begin(), members.end(), [&](const auto& member) {
    return member.id == context_.self.node || take.hints_covered.contains(member.id);
  });
  if (!all_hints && !ORRERY_MUTATION("claimed-without-hints")) return false;
  size_t others = 0;
  size_t covered = 0;
  for (const NodeId home : context_.Homes(slot)) {
    if (home == context_.self.node || !context_.InService(slot, home) || IsRemoved(home)) continue;
    ++others;
    covered += take.homes_covered.contains(home) ? 1 : 0;
  }
  const size_t needed = context_.seats.SeatCount(slot) - context_.W(slot) + 1;
  return covered >= std::min(needed, others);
}

// ---- in service ----

bool SeatTaker::IsReady(SlotId slot, const Take& take) const {
  if (catch_up_.Merging(slot) || context_.slots->At(slot).is_aside()) return false;
  // Whoever owns the first seat gives new ones: that has to be somebody first.
  if (IsClaim(take)) return !take.handover.is_new && MayClaim(slot, take);
  if (!take.is_ours || !take.last) return false;
  return ClockOf(slot).CoversEveryDotOf(*take.last) || ORRERY_MUTATION("in-service-before-the-last-clock");
}

void SeatTaker::BeforeCommit() {
  std::vector<SlotId> checks;
  checks_.TakeInto(&checks);
  for (const SlotId slot : checks) {
    const auto it = takes_.find(slot);
    if (it == takes_.end()) continue;
    Take& take = it->second;
    if (take.next_us == 0) Push(slot, &take, context_.clock->MonotonicUs());
    if (!IsReady(slot, take)) continue;
    const bool claims = IsClaim(take);
    if (claims) ORRERY_MARK("the seat of a removed node is claimed");
    const uint64_t version = take.handover.version + (take.is_ours ? 0 : 1);
    ++context_.stats.seats_taken;
    context_.stats.seats_claimed += claims ? 1 : 0;
    book_.Record({slot,
                  take.handover.index,
                  {version, context_.self.node, true, claims ? NodeId{} : take.handover.giver}});
  }
}

void SeatTaker::OnPeerUp(NodeId peer) {
  reach_.OnPeerUp(peer);
  may_begin_ = true;
  for (auto& [slot, take] : takes_) {
    if (IsClaim(take) || take.handover.giver == peer) take.next_us = 0;
  }
}

void SeatTaker::Tick(uint64_t now_us) {
  for (auto& [slot, take] : takes_) {
    if (now_us >= take.next_us) Push(slot, &take, now_us);
  }
  // Who waits for a giver that is away leaves its place to others.
  std::vector<SlotId> waiting;
  for (const auto& [slot, take] : takes_) {
    if (!take.is_ours && !IsClaim(take) && !context_.linked.contains(take.handover.giver))
      waiting.push_back(slot);
  }
  for (const SlotId slot : waiting) {
    todo_.insert(slot);
    Forget(slot);
  }
  BeginMore();
}

}  // namespace orrery::replication

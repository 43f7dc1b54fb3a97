#include "orrery/replication/catch_up.h"

#include <algorithm>
#include <string>
#include <utility>

#include "orrery/base/marks.h"

namespace orrery::replication {

using causality::SlotClock;

CatchUp::CatchUp(ShardContext* context, CatchUpListener* listener)
    : context_(*context),
      listener_(*listener),
      sender_(context),
      requester_(context),
      source_(context),
      anti_entropy_(context),
      repair_(context) {}

// ---- events ----

void CatchUp::OnEvent(NodeId from, const EventMessage& message) {
  const SlotId slot = message.event->slot;
  if (!context_.Takes(slot)) {
    ORRERY_MARK("event for a slot that is not ours");
    ++context_.stats.events_foreign;
    context_.TellSeats(from, slot);
    return;
  }
  if (context_.transferring.Contains(slot) && from != context_.self.node) {
    context_.stats.copied_bytes += message.event->bytes.size();
  }
  SlotReplica& replica = context_.slots->At(slot);
  if (replica.is_aside()) return repair_.Keep(message.event);
  const causality::Dot& dot = message.event->dot;
  if (context_.seals.Forbids(slot, dot)) {
    ORRERY_MARK("event of a life that is being closed");
    return;
  }
  switch (replica.Classify(dot)) {
    case SlotReplica::Fit::kDuplicate:
      ++context_.stats.events_duplicate;
      break;
    case SlotReplica::Fit::kGap:
      return OnGap(from, slot, dot.actor);
    case SlotReplica::Fit::kNext:
      Apply(from, message);
      if (!replica.clock().Covers(dot)) return;
      break;
  }
  replica.committed().Raise(dot.actor, message.committed);
  // A copy that owns no seat promises nothing.
  if (!context_.IsHome(slot) || from == context_.self.node) return;
  const Ack ack{from, slot, dot.actor};
  if (acks_.empty() || acks_.back() != ack) acks_.push_back(ack);
}

void CatchUp::Apply(NodeId from, const EventMessage& message) {
  const causality::EncodedEvent& event = *message.event;
  Status applied;
  context_.RunStep(event.bytes.size(), [&] { applied = context_.slots->Apply(message.event, from); });
  if (applied.code() == StatusCode::kInvalid) {
    ++context_.stats.bad_frames;
    if (context_.log) context_.log("malformed event from " + from.ToHex());
    return;
  }
  if (!applied.ok()) return OnHalfDone(event.slot, applied);
  context_.NoteWork(event.bytes.size());
  ++context_.stats.events_applied;
  if (!asked_us_.empty()) asked_us_.erase({from, event.slot});
  if (context_.lives.IsOver(event.dot.actor)) context_.perhaps_ended.Insert(event.slot);
  listener_.OnSlotAdvanced(event.slot);
}

void CatchUp::OnGap(NodeId from, SlotId slot, const causality::Actor& actor) {
  ORRERY_MARK("early event");
  ++context_.stats.events_early;
  if (context_.lives.IsOver(actor)) {
    context_.heard_of[slot].insert(actor);
    context_.perhaps_ended.Insert(slot);
  }
  if (Merging(slot)) return;
  if (context_.IsHome(slot, from)) return AskFor(from, slot);
  // A fallback has only what it kept; what comes before that is with the homes.
  AskHomes(slot);
}

void CatchUp::FlushAcks() {
  std::sort(acks_.begin(), acks_.end());
  acks_.erase(std::unique(acks_.begin(), acks_.end()), acks_.end());
  for (const Ack& ack : acks_) {
    const uint64_t counter = context_.slots->At(ack.slot).clock().Get(ack.actor);
    if (counter == 0) continue;
    const AckMessage message{ack.slot, {ack.actor, counter}};
    if (ORRERY_MUTATION("events-acknowledged-before-the-commit")) {
      context_.outbox->Send(ack.peer, message);
    } else {
      context_.outbox->SendDurable(ack.peer, message);
    }
  }
  acks_.clear();
}

// ---- clocks ----

// A clock tells its receiver what we durably have, so it leaves after the commit whoever asks.
void CatchUp::SendClock(NodeId peer, SlotId slot, bool answer) {
  if (context_.slots->At(slot).is_aside()) return;
  context_.outbox->SendDurable(peer, ClockMessage{slot, answer, context_.slots->At(slot).clock()});
}

void CatchUp::AskFor(NodeId peer, SlotId slot) {
  const uint64_t now_us = context_.clock->MonotonicUs();
  const auto [it, is_new] = asked_us_.try_emplace({peer, slot}, now_us);
  if (!is_new && now_us <= it->second + kAskPatienceUs) return;
  it->second = now_us;
  SendClock(peer, slot, false);
}

void CatchUp::AskHomes(SlotId slot) {
  for (const NodeId home : context_.Homes(slot)) {
    if (home != context_.self.node && context_.linked.contains(home)) AskFor(home, slot);
  }
}

void CatchUp::OnClock(NodeId from, const ClockMessage& message) {
  const SlotId slot = message.slot;
  if (context_.IsHome(slot)) listener_.OnPeerClock(from, slot, message.clock);
  SendLacking(from, slot, message.clock);
  if (!context_.Takes(slot)) return context_.TellSeats(from, slot);
  const SlotClock& ours = context_.slots->At(slot).clock();
  if (!message.answer && !ours.CoversEveryDotOf(message.clock)) SendClock(from, slot, true);
}

void CatchUp::OnSummary(NodeId from, const SummaryMessage& message) {
  const AntiEntropy::Comparison comparison = anti_entropy_.Compare(from, message);
  for (const SlotId slot : comparison.differ) {
    if (!Merging(slot)) AskFor(from, slot);
  }
  for (const SlotId slot : comparison.outvoted) {
    // Our rows can be read, but they are wrong: they are not to be mixed with the others'.
    context_.slots->At(slot).Disbelieve();
    OnHalfDone(slot, Status::Corruption("most homes have other rows under the same clock"));
  }
  // The peer has, durably, just what we have.
  for (const SlotId slot : comparison.equal) {
    listener_.OnPeerClock(from, slot, context_.slots->At(slot).clock());
  }
}

// ---- merging ----

void CatchUp::OnBehind(NodeId from, const BehindMessage& message) {
  asked_us_.erase({from, message.slot});
  if (!context_.Takes(message.slot) || Merging(message.slot)) return;
  ORRERY_MARK("behind the backlog: merge");
  requester_.Want(message.slot, from, MergeRequester::What::kDiffers);
}

void CatchUp::OnMergeRequest(NodeId from, const MergeRequestMessage& message) {
  source_.OnRequest(from, message);
}

void CatchUp::OnMergePart(NodeId from, const MergePartMessage& message) {
  auto fetched = requester_.OnPart(from, message);
  if (fetched) TakeImage(message.slot, std::move(*fetched));
  Reask();
}

void CatchUp::OnMergeTree(NodeId from, const MergeTreeMessage& message) {
  auto fetched = requester_.OnTree(from, message);
  if (fetched) TakeImage(message.slot, std::move(*fetched));
  for (const auto& [slot, status] : requester_.TakeDamaged()) OnCorruption(slot, status);
  Reask();
}

void CatchUp::TakeImage(SlotId slot, MergeRequester::Fetched fetched) {
  if (repair_.Has(slot)) return TakeForRepair(slot, std::move(fetched));
  if (!context_.Takes(slot)) return;
  if (!fetched.image.holes.empty()) return AskHomes(slot);  // only a damaged slot has a use for those
  if (context_.seals.Forbids(slot, fetched.image.clock)) {
    ORRERY_MARK("image with events of a life that is being closed");
    return;
  }
  context_.slots->Touch(slot);
  SlotReplica& replica = context_.slots->At(slot);
  if (Status s = replica.Merge(fetched.image, fetched.where); !s.ok()) {
    replica.NoteHalfMerged();
    return OnHalfDone(slot, s);
  }
  ++context_.stats.merges_done;
  context_.stats.merge_rows += fetched.image.rows.size();
  context_.perhaps_ended.Insert(slot);
  listener_.OnSlotAdvanced(slot);
  listener_.OnCopied(slot);
  // The source hears what we have now, sends what it has applied since the image, and asks for what only we
  // have.
  SendClock(fetched.source, slot, false);
}

void CatchUp::TakeForRepair(SlotId slot, MergeRequester::Fetched fetched) {
  ++context_.stats.merges_done;
  context_.stats.merge_rows += fetched.image.rows.size();
  repair_.Fetched(slot, fetched.source, std::move(fetched.image));
  Repair();
}

void CatchUp::OnCorruption(SlotId slot, const Status& status) {
  if (status.code() != StatusCode::kCorruption) {
    if (context_.log) context_.log("slot " + std::to_string(slot) + " cannot be read: " + status.message());
    return;
  }
  if (repair_.Has(slot)) return;
  requester_.Cancel(slot);
  if (repair_.Begin(slot, status)) {
    listener_.OnSlotReset(slot);
    for (const auto& event : listener_.HintsOf(slot)) repair_.Keep(event);
  }
  Repair();
}

void CatchUp::OnHalfDone(SlotId slot, const Status& why) {
  OnCorruption(slot, context_.slots->At(slot).is_half_done() ? Status::Corruption(why.message()) : why);
}

// Each damaged slot fetches the images of one home after the other, until they make it whole.
void CatchUp::Repair() {
  for (const SlotId slot : repair_.slots()) {
    if (requester_.Has(slot)) continue;
    if (const auto home = repair_.NextSource(slot)) {
      requester_.Want(slot, *home, MergeRequester::What::kWhole);
    } else if (repair_.TryFinish(slot)) {
      context_.perhaps_ended.Insert(slot);
      listener_.OnSlotAdvanced(slot);
      AskHomes(slot);
    }
  }
}

// Merges that ended early: whoever else may have what we lack is asked.
void CatchUp::Reask() {
  for (const SlotId slot : requester_.TakeStopped()) {
    // What waited for the merge does not wait for this one any more.
    listener_.OnSlotAdvanced(slot);
    if (repair_.Has(slot) || !context_.Takes(slot)) continue;
    ORRERY_MARK("merge stopped and is asked for again");
    AskHomes(slot);
  }
}

void CatchUp::AfterCommit() {
  source_.AfterCommit();
  for (const auto& [slot, status] : source_.TakeDamaged()) OnCorruption(slot, status);
}

// ---- reach and time ----

void CatchUp::OnPeerUp(NodeId peer) {
  repair_.OnPeerUp(peer);
  anti_entropy_.Sweep(peer);
  Repair();
}

void CatchUp::OnPeerDown(NodeId peer) {
  sender_.OnPeerDown(peer);
  source_.OnPeerDown(peer);
  anti_entropy_.OnPeerDown(peer);
  std::erase_if(asked_us_, [&](const auto& entry) { return entry.first.first == peer; });
  std::erase_if(acks_, [&](const Ack& ack) { return ack.peer == peer; });
  requester_.OnPeerDown(peer);
  Reask();
}

void CatchUp::OnViewChanged() {
  // Homes may have changed, or a peer that was linked all along counts as alive again: compare with
  // everybody.
  for (const NodeId peer : context_.linked) anti_entropy_.Want(peer);
  Repair();
}

void CatchUp::Tick(uint64_t now_us) {
  sender_.Tick(now_us);
  requester_.Tick(now_us);
  source_.Tick(now_us);
  Repair();
  Reask();
  for (const auto& [slot, status] : source_.TakeDamaged()) OnCorruption(slot, status);
  anti_entropy_.Tick(now_us);
  std::erase_if(asked_us_, [&](const auto& entry) { return now_us > entry.second + kAskPatienceUs; });
}

}  // namespace orrery::replication

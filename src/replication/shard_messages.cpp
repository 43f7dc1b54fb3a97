// What peers send: each message goes to the part that it is for.

#include <algorithm>
#include <utility>
#include <vector>

#include "orrery/base/marks.h"
#include "orrery/replication/shard.h"
#include "orrery/storage/slot_row_key.h"

namespace orrery::replication {

void Shard::OnFrame(NodeId peer, std::string_view frame) {
  if (failed_) return;
  context_.NoteWork(frame.size());
  FrameReader reader(frame);
  if (Status s = hybrid_.Observe(reader.time(), context_.clock->WallMs()); !s.ok()) {
    if (context_.stats.clock_refused++ == 0 && context_.log) context_.log(peer.ToHex() + ": " + s.message());
  }
  const uint64_t now_ms = context_.NowMs();
  const uint64_t left_ms = now_ms - std::min(now_ms, delays_[peer].delay.LateMs(reader.sent_ms(), now_ms));
  // Messages of one frame are about as many slots, all of them cold. Each is read some messages before its
  // turn comes, and step by step the memory that it needs is asked for, so that none waits for its own.
  const auto at = [this](size_t place) -> Ahead& { return ahead_[place % kMessagesAhead]; };
  size_t read = 0;
  bool more = true;
  for (size_t place = 0; more || place < read + 3 * kStageMessages; ++place) {
    if (more) {
      more = ReadAhead(&reader, left_ms, &at(place));
      read += more ? 1 : 0;
    }
    if (const size_t i = place - kStageMessages; place >= kStageMessages && i < read && at(i).slot) {
      coordinator_.PrefetchSlot(*at(i).slot);
    }
    if (const size_t i = place - 2 * kStageMessages; place >= 2 * kStageMessages && i < read && at(i).slot) {
      coordinator_.PrefetchQueues(*at(i).slot);
      if (at(i).row_hint != 0) context_.store->PrefetchRow(at(i).row_hint);
    }
    if (const size_t i = place - 3 * kStageMessages; place >= 3 * kStageMessages && i < read) {
      Deliver(peer, &at(i).message);
    }
  }
  context_.stats.unknown_messages += reader.unknown();
  if (reader.ok()) return;
  ++context_.stats.bad_frames;
  if (context_.log) context_.log("malformed frame from " + peer.ToHex());
}

bool Shard::ReadAhead(FrameReader* reader, uint64_t left_ms, Ahead* ahead) {
  if (!reader->Next(&ahead->message)) return false;
  ahead->slot = SlotOfMessage(ahead->message);
  ahead->row_hint = 0;
  if (std::holds_alternative<AckMessage>(ahead->message) && coordinator_.PrefetchNotes(*ahead->slot)) {
    ahead->slot.reset();
    return true;
  }
  if (ahead->slot) coordinator_.PrefetchPlace(*ahead->slot);
  if (auto* forward = std::get_if<ForwardMessage>(&ahead->message)) {
    forward->request.sent_ms = left_ms > forward->age_ms ? left_ms - forward->age_ms : 1;
  } else if (const auto* message = std::get_if<EventMessage>(&ahead->message)) {
    const std::string_view row_key = causality::FirstRowKeyOf(*message->event);
    if (!row_key.empty()) {
      ahead->row_hint = context_.store->PrefetchKey(storage::SlotRowKey(*ahead->slot, row_key).view());
    }
  }
  return true;
}

size_t Shard::LoopOf(const Message& message) const {
  if (context_.options.loop_count == 1) return context_.options.loop_index;
  if (const auto slot = SlotOfMessage(message)) return *slot % context_.options.loop_count;
  if (const auto* reply = std::get_if<ForwardReplyMessage>(&message)) {
    return Router::LoopOfRequest(reply->request_id) % context_.options.loop_count;
  }
  if (const auto* reply = std::get_if<SurveyReplyMessage>(&message)) {
    return KeySurveyor::LoopOfSurvey(reply->survey_id) % context_.options.loop_count;
  }
  if (const auto* probe = std::get_if<TurnProbeMessage>(&message)) {
    // With another number of loops none of ours has just the slots of the asker's: it hears nothing.
    return probe->loops == context_.options.loop_count ? probe->loop : context_.options.loop_index;
  }
  if (const auto* reply = std::get_if<TurnProbeReplyMessage>(&message)) {
    return reply->loop % context_.options.loop_count;
  }
  if (const auto* answer = std::get_if<CloseAnswerMessage>(&message)) {
    return LifeCloser::LoopOfRound(answer->round) % context_.options.loop_count;
  }
  return std::holds_alternative<GossipMessage>(message) ? 0 : context_.options.loop_index;
}

// Of a message about many slots each loop gets those that it owns.
template <typename M>
void Shard::DeliverParts(NodeId from, const M& message) {
  std::vector<M> parts(context_.options.loop_count, [&] {
    M part = message;
    part.entries.clear();
    return part;
  }());
  for (const auto& entry : message.entries) parts[entry.slot % parts.size()].entries.push_back(entry);
  for (size_t loop = 0; loop < parts.size(); ++loop) {
    if (parts[loop].entries.empty()) continue;
    Message part = std::move(parts[loop]);
    if (loop == context_.options.loop_index) {
      Handle(from, part);
    } else {
      mesh_->PostMessage(loop, from, std::move(part));
    }
  }
}

// What the message holds is taken where it is wanted; the rest of it stays until the next one comes in its
// place.
void Shard::Deliver(NodeId from, Message* message) {
  if (context_.options.loop_count > 1) {
    if (const auto* summary = std::get_if<SummaryMessage>(message)) return DeliverParts(from, *summary);
    if (const auto* ask = std::get_if<CloseAskMessage>(message)) return DeliverParts(from, *ask);
  }
  if (std::holds_alternative<SurveyMessage>(*message) || std::holds_alternative<SeatsMessage>(*message)) {
    for (size_t loop = 0; loop < context_.options.loop_count; ++loop) {
      if (loop != context_.options.loop_index) mesh_->PostMessage(loop, from, *message);
    }
    return Handle(from, *message);
  }
  const size_t loop = LoopOf(*message);
  if (loop == context_.options.loop_index) return Handle(from, *message);
  mesh_->PostMessage(loop, from, std::move(*message));
}

void Shard::OnMessage(NodeId from, Message message) {
  if (!failed_) Handle(from, message);
}

void Shard::Handle(NodeId from, Message& message) {
  struct Visitor {
    Shard& shard;
    NodeId from;
    void operator()(ForwardMessage& m) { shard.router_.OnForward(from, std::move(m)); }
    void operator()(ForwardReplyMessage& m) { shard.router_.OnForwardReply(from, std::move(m)); }
    void operator()(EventMessage& m) { shard.catch_up_.OnEvent(from, m); }
    void operator()(AckMessage& m) { shard.coordinator_.OnAck(from, m); }
    void operator()(ProbeMessage& m) { shard.Answer(from, m); }
    void operator()(ProbeReplyMessage& m) {
      if ((m.probe_id & SeatTaker::kProbeBit) != 0) return shard.taker_.OnHints(from, m);
      if ((m.probe_id & SlotRepair::kProbeBit) != 0) return shard.catch_up_.OnRepairHints(from, m);
      shard.coordinator_.OnProbeReply(from, m);
    }
    void operator()(CountedReplyMessage& m) { shard.coordinator_.OnCountedReply(from, m); }
    void operator()(TurnProbeMessage& m) { shard.OnTurnProbe(from, m); }
    void operator()(TurnProbeReplyMessage& m) { shard.coordinator_.OnTurnProbeReply(from, m); }
    void operator()(ClockAskMessage& m) { shard.copies_.OnAsk(from, m); }
    void operator()(ClockTellMessage& m) { shard.copies_.OnTell(from, m); }
    void operator()(CommitAskMessage& m) { shard.coordinator_.OnCommitAsk(from, m); }
    void operator()(CommitTellMessage& m) { shard.router_.OnCommitTell(m); }
    void operator()(ClockMessage& m) { shard.catch_up_.OnClock(from, m); }
    void operator()(BehindMessage& m) { shard.catch_up_.OnBehind(from, m); }
    void operator()(MergeRequestMessage& m) { shard.catch_up_.OnMergeRequest(from, m); }
    void operator()(MergePartMessage& m) { shard.catch_up_.OnMergePart(from, m); }
    void operator()(MergeAskMessage& m) { shard.catch_up_.OnMergeAsk(from, m); }
    void operator()(MergeTreeMessage& m) { shard.catch_up_.OnMergeTree(from, m); }
    void operator()(HintMessage& m) { shard.hints_.OnHint(from, m); }
    void operator()(HintAckMessage& m) { shard.coordinator_.OnHintAck(from, m); }
    void operator()(HintOfferMessage& m) { shard.hints_.OnHintOffer(from, m); }
    void operator()(HintWantMessage& m) { shard.OnHintWant(from, m); }
    void operator()(SummaryMessage& m) { shard.catch_up_.OnSummary(from, m); }
    void operator()(GossipMessage& m) {
      if (shard.on_gossip_) shard.on_gossip_(from, m.bytes);
    }
    void operator()(SurveyMessage& m) { shard.survey_.OnSurvey(from, m); }
    void operator()(SurveyReplyMessage& m) { shard.survey_.OnReply(from, m); }
    void operator()(CloseAskMessage& m) { shard.closer_.OnAsk(from, m); }
    void operator()(CloseAnswerMessage& m) { shard.closer_.OnAnswer(from, m); }
    void operator()(SeatsMessage& m) { shard.OnSeats(from, m); }
    void operator()(SeatHashMessage& m) { shard.book_.OnHash(from, m); }
    void operator()(SeatDigestsMessage& m) {
      shard.book_.OnDigests(from, m);
      shard.router_.DispatchStarting();
    }
    void operator()(SeatAskMessage& m) { shard.giver_.OnAsk(from, m); }
    void operator()(SeatGivenMessage& m) { shard.taker_.OnGiven(from, m); }
    void operator()(SeatReachMessage& m) { shard.taker_.OnReach(from, m); }
  };
  std::visit(Visitor{*this, from}, message);
}

void Shard::OnPeerClosed(NodeId home, SlotId slot, const EndedLives& lives) {
  causality::SlotClock closed;
  for (const auto& span : lives.spans) closed.RaiseFloor(span.node, span.to);
  coordinator_.OnPeerClock(home, slot, closed);
}

// The replica's side of a quorum read: what the asker lacks goes out first, then the clock it was compared
// with.
void Shard::Answer(NodeId from, const ProbeMessage& probe) {
  ProbeReplyMessage reply{probe.slot, probe.probe_id, false, {}};
  if (probe.as_fallback) {
    ORRERY_MARK("fallback asked in place of a home");
    if (hints_.has_lost()) return;
    for (const auto& event : hints_.Lacking(probe.slot, probe.clock)) {
      outbox_.SendDurable(from, EventMessage{0, event});
    }
    reply.clock = hints_.HintClock(probe.slot);
    outbox_.SendDurable(from, reply);
    return;
  }
  // Whoever does not own a seat, or does not cover yet what its giver promised, says nothing.
  if (!context_.InService(probe.slot)) return context_.TellSeats(from, probe.slot);
  const SlotReplica& replica = slots_.At(probe.slot);
  // What it had it may have lost: it counts for nothing until it has it again.
  if (replica.is_aside()) return;
  reply.equal = replica.clock() == probe.clock;
  if (!reply.equal) {
    reply.clock = replica.clock();
    if (!probe.clock.CoversEveryDotOf(replica.clock())) catch_up_.SendLacking(from, probe.slot, probe.clock);
  }
  SendAnswer(from, reply);
}

// The count is of use only to who we take for the slot's first home.
void Shard::SendAnswer(NodeId from, const ProbeReplyMessage& reply) {
  if (!counting_.contains(from) || !foreign_.Covers(reply.slot, from)) return outbox_.SendDurable(from, reply);
  outbox_.SendDurable(from, CountedReplyMessage{reply, foreign_.CountOf(from)});
}

void Shard::OnTurnProbe(NodeId from, const TurnProbeMessage& probe) {
  if (probe.loops != context_.options.loop_count) return;
  counting_.insert(from);
  outbox_.SendDurable(from, TurnProbeReplyMessage{probe.id, probe.loop, foreign_.CountOf(from)});
}

}  // namespace orrery::replication

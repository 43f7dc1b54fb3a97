#pragma once

#include "orrery/replication/messages.h"

/// A message's body, and how to read it back; overloads pair up by type. Formats: docs/peer-protocol.md. Reading
/// fails the decoder where the bytes are no such message.
namespace orrery::replication::bodies {

using causality::EventPtr;
using causality::SlotClock;

inline EventPtr ReadEvent(Decoder* in) {
  EventPtr event = causality::EventPtrFromBytes(in->GetBytes());
  if (!event) in->Fail();
  return event;
}

inline SlotId ReadSlot(Decoder* in) {
  const SlotId slot = in->GetU16();
  if (slot >= kSlotCount) in->Fail();
  return slot;
}

void Body(const ForwardMessage& m, Encoder* out);
void Read(Decoder* in, ForwardMessage* m);
void Body(const ForwardReplyMessage& m, Encoder* out);
void Read(Decoder* in, ForwardReplyMessage* m);
void Body(const CommitAskMessage& m, Encoder* out);
void Read(Decoder* in, CommitAskMessage* m);
void Body(const CommitTellMessage& m, Encoder* out);
void Read(Decoder* in, CommitTellMessage* m);
void Body(const EventMessage& m, Encoder* out);
void Read(Decoder* in, EventMessage* m);
void Body(const AckMessage& m, Encoder* out);
void Read(Decoder* in, AckMessage* m);
void Body(const ProbeMessage& m, Encoder* out);
void Read(Decoder* in, ProbeMessage* m);
void Body(const ClockAskMessage& m, Encoder* out);
void Read(Decoder* in, ClockAskMessage* m);
void Body(const ClockTellMessage& m, Encoder* out);
void Read(Decoder* in, ClockTellMessage* m);
void Body(const ProbeReplyMessage& m, Encoder* out);
void Read(Decoder* in, ProbeReplyMessage* m);
void Body(const TurnProbeMessage& m, Encoder* out);
void Read(Decoder* in, TurnProbeMessage* m);
void Body(const TurnProbeReplyMessage& m, Encoder* out);
void Read(Decoder* in, TurnProbeReplyMessage* m);
void Body(const CountedReplyMessage& m, Encoder* out);
void Read(Decoder* in, CountedReplyMessage* m);
void Body(const ClockMessage& m, Encoder* out);
void Read(Decoder* in, ClockMessage* m);
void Body(const BehindMessage& m, Encoder* out);
void Read(Decoder* in, BehindMessage* m);
void Body(const MergeRequestMessage& m, Encoder* out);
void Read(Decoder* in, MergeRequestMessage* m);
void Body(const MergePartMessage& m, Encoder* out);
void Read(Decoder* in, MergePartMessage* m);
void Body(const MergeAskMessage& m, Encoder* out);
void Read(Decoder* in, MergeAskMessage* m);
void Body(const MergeTreeMessage& m, Encoder* out);
void Read(Decoder* in, MergeTreeMessage* m);
void Body(const HintMessage& m, Encoder* out);
void Read(Decoder* in, HintMessage* m);
void Body(const HintAckMessage& m, Encoder* out);
void Read(Decoder* in, HintAckMessage* m);
void Body(const HintOfferMessage& m, Encoder* out);
void Read(Decoder* in, HintOfferMessage* m);
void Body(const HintWantMessage& m, Encoder* out);
void Read(Decoder* in, HintWantMessage* m);
void Body(const SummaryMessage& m, Encoder* out);
void Read(Decoder* in, SummaryMessage* m);
void Body(const GossipMessage& m, Encoder* out);
void Read(Decoder* in, GossipMessage* m);
void Body(const SurveyMessage& m, Encoder* out);
void Read(Decoder* in, SurveyMessage* m);
void Body(const SurveyReplyMessage& m, Encoder* out);
void Read(Decoder* in, SurveyReplyMessage* m);
void Body(const CloseAskMessage& m, Encoder* out);
void Read(Decoder* in, CloseAskMessage* m);
void Body(const CloseAnswerMessage& m, Encoder* out);
void Read(Decoder* in, CloseAnswerMessage* m);
void Body(const SeatsMessage& m, Encoder* out);
void Read(Decoder* in, SeatsMessage* m);
void Body(const SeatHashMessage& m, Encoder* out);
void Read(Decoder* in, SeatHashMessage* m);
void Body(const SeatDigestsMessage& m, Encoder* out);
void Read(Decoder* in, SeatDigestsMessage* m);
void Body(const SeatAskMessage& m, Encoder* out);
void Read(Decoder* in, SeatAskMessage* m);
void Body(const SeatGivenMessage& m, Encoder* out);
void Read(Decoder* in, SeatGivenMessage* m);
void Body(const SeatReachMessage& m, Encoder* out);
void Read(Decoder* in, SeatReachMessage* m);

}  // namespace orrery::replication::bodies

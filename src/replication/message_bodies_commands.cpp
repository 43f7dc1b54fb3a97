// Commands on their way to a coordinator, their events, and what is known about them.

#include "replication/message_bodies.h"

namespace orrery::replication::bodies {
namespace {

// Beside the outcome: a dot follows.
constexpr uint8_t kIsBound = 128;

template <typename Message>
void SlotAndDot(const Message& m, Encoder* out) {
  PieceEncoder<2 + causality::kDotBytesMax> piece;
  piece.PutU16(m.slot);
  Encode(m.upto, &piece);
  out->PutRaw(piece.bytes());
}

template <typename Message>
void ReadSlotAndDot(Decoder* in, Message* m) {
  m->slot = ReadSlot(in);
  m->upto = causality::DecodeDot(in);
}

}  // namespace

void Body(const ForwardMessage& m, Encoder* out) {
  PieceEncoder<17 + Encoder::kVarintBytesMax> head;
  head.PutU64(m.request_id);
  head.PutU8(m.hops);
  head.PutVarint(m.age_ms);
  head.PutU64(m.count);
  out->PutRaw(head.bytes());
  EncodeRequest(m.request, out);
}
void Read(Decoder* in, ForwardMessage* m) {
  m->request_id = in->GetU64();
  m->hops = in->GetU8();
  m->age_ms = in->GetVarint();
  m->count = in->GetU64();
  m->request = DecodeRequest(in);
}

void Body(const ForwardReplyMessage& m, Encoder* out) {
  PieceEncoder<9 + causality::kDotBytesMax + Encoder::kVarintBytesMax> head;
  const bool is_bound = m.after.counter != 0;
  head.PutU64(m.request_id);
  head.PutU8(static_cast<uint8_t>(static_cast<uint8_t>(m.response.outcome) | (is_bound ? kIsBound : 0)));
  if (is_bound) Encode(m.after, &head);
  head.PutVarint(m.response.reply.size());
  out->PutRaw(head.bytes());
  out->PutRaw(m.response.reply);
}
void Read(Decoder* in, ForwardReplyMessage* m) {
  m->request_id = in->GetU64();
  const uint8_t bits = in->GetU8();
  const uint8_t outcome = bits & static_cast<uint8_t>(~kIsBound);
  if (outcome > static_cast<uint8_t>(Outcome::kDiskError)) in->Fail();
  m->response.outcome = static_cast<Outcome>(outcome);
  m->after = (bits & kIsBound) != 0 ? causality::DecodeDot(in) : causality::Dot();
  if ((bits & kIsBound) != 0 && m->after.counter == 0) in->Fail();
  m->response.reply = in->GetBytes();
}

void Body(const EventMessage& m, Encoder* out) {
  out->PutVarint(m.committed);
  out->PutBytes(m.event->bytes);
}
void Read(Decoder* in, EventMessage* m) {
  m->committed = in->GetVarint();
  m->event = ReadEvent(in);
}

void Body(const AckMessage& m, Encoder* out) {
  SlotAndDot(m, out);
}
void Read(Decoder* in, AckMessage* m) {
  ReadSlotAndDot(in, m);
}

void Body(const CommitAskMessage& m, Encoder* out) {
  SlotAndDot(m, out);
}
void Read(Decoder* in, CommitAskMessage* m) {
  ReadSlotAndDot(in, m);
}

void Body(const CommitTellMessage& m, Encoder* out) {
  SlotAndDot(m, out);
}
void Read(Decoder* in, CommitTellMessage* m) {
  ReadSlotAndDot(in, m);
}

void Body(const ProbeMessage& m, Encoder* out) {
  out->PutU16(m.slot);
  out->PutVarint(m.probe_id);
  out->PutU8(m.as_fallback ? 1 : 0);
  m.clock.Encode(out);
}
void Read(Decoder* in, ProbeMessage* m) {
  m->slot = ReadSlot(in);
  m->probe_id = in->GetVarint();
  m->as_fallback = in->GetU8() != 0;
  m->clock = SlotClock::Decode(in);
}

void Body(const ClockAskMessage& m, Encoder* out) {
  out->PutU16(m.slot);
  out->PutVarint(m.ask_id);
}
void Read(Decoder* in, ClockAskMessage* m) {
  m->slot = ReadSlot(in);
  m->ask_id = in->GetVarint();
}

void Body(const ClockTellMessage& m, Encoder* out) {
  out->PutU16(m.slot);
  out->PutVarint(m.ask_id);
  out->PutU8(m.is_home ? 1 : 0);
  m.clock.Encode(out);
}
void Read(Decoder* in, ClockTellMessage* m) {
  m->slot = ReadSlot(in);
  m->ask_id = in->GetVarint();
  m->is_home = in->GetU8() != 0;
  m->clock = SlotClock::Decode(in);
}

void Body(const ProbeReplyMessage& m, Encoder* out) {
  out->PutU16(m.slot);
  out->PutVarint(m.probe_id);
  out->PutU8(m.equal ? 1 : 0);
  if (!m.equal) m.clock.Encode(out);
}
void Read(Decoder* in, ProbeReplyMessage* m) {
  m->slot = ReadSlot(in);
  m->probe_id = in->GetVarint();
  m->equal = in->GetU8() != 0;
  if (!m->equal) m->clock = SlotClock::Decode(in);
}

void Body(const TurnProbeMessage& m, Encoder* out) {
  out->PutVarint(m.id);
  out->PutU16(m.loop);
  out->PutU16(m.loops);
}
void Read(Decoder* in, TurnProbeMessage* m) {
  m->id = in->GetVarint();
  m->loop = in->GetU16();
  m->loops = in->GetU16();
  if (m->loop >= m->loops) in->Fail();
}

void Body(const TurnProbeReplyMessage& m, Encoder* out) {
  out->PutVarint(m.id);
  out->PutU16(m.loop);
  out->PutU64(m.count);
}
void Read(Decoder* in, TurnProbeReplyMessage* m) {
  m->id = in->GetVarint();
  m->loop = in->GetU16();
  m->count = in->GetU64();
  if (m->count == 0) in->Fail();
}

void Body(const CountedReplyMessage& m, Encoder* out) {
  out->PutU64(m.count);
  Body(static_cast<const ProbeReplyMessage&>(m), out);
}
void Read(Decoder* in, CountedReplyMessage* m) {
  m->count = in->GetU64();
  if (m->count == 0) in->Fail();
  Read(in, static_cast<ProbeReplyMessage*>(m));
}

void Body(const ClockMessage& m, Encoder* out) {
  out->PutU16(m.slot);
  out->PutU8(m.answer ? 1 : 0);
  m.clock.Encode(out);
}
void Read(Decoder* in, ClockMessage* m) {
  m->slot = ReadSlot(in);
  m->answer = in->GetU8() != 0;
  m->clock = SlotClock::Decode(in);
}

void Body(const BehindMessage& m, Encoder* out) { out->PutU16(m.slot); }
void Read(Decoder* in, BehindMessage* m) { m->slot = ReadSlot(in); }

}  // namespace orrery::replication::bodies

// Seats of slots.

#include "replication/message_bodies.h"

namespace orrery::replication::bodies {

void Body(const SeatsMessage& m, Encoder* out) {
  out->PutVarint(m.records.size());
  for (const SeatRecord& record : m.records) EncodeSeatRecord(record, out);
}
void Read(Decoder* in, SeatsMessage* m) {
  const uint64_t count = in->GetCount(21);
  for (uint64_t i = 0; i < count && in->ok(); ++i) m->records.push_back(DecodeSeatRecord(in));
}

void Body(const SeatHashMessage& m, Encoder* out) { out->PutU64(m.hash); }
void Read(Decoder* in, SeatHashMessage* m) { m->hash = in->GetU64(); }

void Body(const SeatDigestsMessage& m, Encoder* out) {
  out->PutU8(m.answer ? 1 : 0);
  for (const uint64_t digest : m.digests) out->PutU64(digest);
}
void Read(Decoder* in, SeatDigestsMessage* m) {
  m->answer = in->GetU8() != 0;
  for (uint64_t& digest : m->digests) digest = in->GetU64();
}

void Body(const SeatAskMessage& m, Encoder* out) {
  out->PutU16(m.slot);
  out->PutU8(m.index);
  out->PutVarint(m.version);
  m.clock.Encode(out);
}
void Read(Decoder* in, SeatAskMessage* m) {
  m->slot = ReadSlot(in);
  m->index = in->GetU8();
  m->version = in->GetVarint();
  m->clock = SlotClock::Decode(in);
}

void Body(const SeatGivenMessage& m, Encoder* out) {
  out->PutU16(m.slot);
  out->PutU8(m.index);
  out->PutVarint(m.version);
  m.clock.Encode(out);
}
void Read(Decoder* in, SeatGivenMessage* m) {
  m->slot = ReadSlot(in);
  m->index = in->GetU8();
  m->version = in->GetVarint();
  m->clock = SlotClock::Decode(in);
}

void Body(const SeatReachMessage& m, Encoder* out) {
  out->PutU16(m.slot);
  out->PutU16(m.loops);
}
void Read(Decoder* in, SeatReachMessage* m) {
  m->slot = ReadSlot(in);
  m->loops = in->GetU16();
}

}  // namespace orrery::replication::bodies

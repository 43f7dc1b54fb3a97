// Hints, and what goes around in the background.

#include "replication/message_bodies.h"

namespace orrery::replication::bodies {

void Body(const HintMessage& m, Encoder* out) {
  out->PutU64(m.home.value);
  out->PutVarint(m.since);
  out->PutBytes(m.event->bytes);
}
void Read(Decoder* in, HintMessage* m) {
  m->home.value = in->GetU64();
  m->since = in->GetVarint();
  m->event = ReadEvent(in);
}

void Body(const HintAckMessage& m, Encoder* out) {
  out->PutU64(m.home.value);
  out->PutU16(m.slot);
  Encode(m.upto, out);
  out->PutU8(m.refused ? 1 : 0);
}
void Read(Decoder* in, HintAckMessage* m) {
  m->home.value = in->GetU64();
  m->slot = ReadSlot(in);
  m->upto = causality::DecodeDot(in);
  m->refused = in->GetU8() != 0;
}

void Body(const HintOfferMessage& m, Encoder* out) { out->PutU16(m.slot); }
void Read(Decoder* in, HintOfferMessage* m) { m->slot = ReadSlot(in); }

void Body(const HintWantMessage& m, Encoder* out) {
  out->PutU16(m.slot);
  m.clock.Encode(out);
  m.synced.Encode(out);
}
void Read(Decoder* in, HintWantMessage* m) {
  m->slot = ReadSlot(in);
  m->clock = SlotClock::Decode(in);
  m->synced = SlotClock::Decode(in);
}

void Body(const SummaryMessage& m, Encoder* out) {
  out->PutVarint(m.entries.size());
  for (const auto& entry : m.entries) {
    out->PutU16(entry.slot);
    out->PutU64(entry.clock_hash);
    out->PutU64(entry.digest);
  }
}
void Read(Decoder* in, SummaryMessage* m) {
  const uint64_t n = in->GetCount(18);
  for (uint64_t i = 0; i < n && in->ok(); ++i) {
    const SlotId slot = ReadSlot(in);
    const uint64_t clock_hash = in->GetU64();
    m->entries.push_back({slot, clock_hash, in->GetU64()});
  }
}

void Body(const GossipMessage& m, Encoder* out) { out->PutRaw(m.bytes); }
void Read(Decoder* in, GossipMessage* m) { m->bytes = in->GetRaw(in->remaining()); }

}  // namespace orrery::replication::bodies

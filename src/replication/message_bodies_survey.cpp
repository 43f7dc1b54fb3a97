// Surveys, and the closing of lives.

#include "replication/message_bodies.h"

namespace orrery::replication::bodies {
namespace {

void PutSlots(const std::bitset<kSlotCount>& slots, Encoder* out) {
  for (uint32_t first = 0; first < kSlotCount; first += 8) {
    unsigned byte = 0;
    for (uint32_t i = 0; i < 8; ++i) byte |= slots[first + i] ? 1U << i : 0U;
    out->PutU8(static_cast<uint8_t>(byte));
  }
}

std::bitset<kSlotCount> ReadSlots(Decoder* in) {
  std::bitset<kSlotCount> slots;
  const std::string_view bytes = in->GetRaw(kSlotCount / 8);
  for (uint32_t slot = 0; slot < kSlotCount && in->ok(); ++slot) {
    slots[slot] = (static_cast<uint8_t>(bytes[slot / 8]) >> (slot % 8) & 1) != 0;
  }
  return slots;
}

CloseAskMessage::Step ReadStep(Decoder* in) {
  const uint8_t step = in->GetU8();
  if (step < 1 || step > 5) in->Fail();
  return static_cast<CloseAskMessage::Step>(step);
}

}  // namespace

void Body(const SurveyMessage& m, Encoder* out) {
  out->PutU64(m.survey_id);
  out->PutU8(m.db);
}
void Read(Decoder* in, SurveyMessage* m) {
  m->survey_id = in->GetU64();
  m->db = in->GetU8();
}

void Body(const SurveyReplyMessage& m, Encoder* out) {
  out->PutU64(m.survey_id);
  out->PutU16(m.loop);
  out->PutU16(m.loops);
  PutSlots(m.standing, out);
  out->PutVarint(m.entries.size());
  for (const auto& entry : m.entries) {
    out->PutU16(entry.slot);
    out->PutU64(entry.clock_hash);
    out->PutVarint(entry.keys);
  }
  out->PutVarint(m.hinted.size());
  for (SlotId slot : m.hinted) out->PutU16(slot);
}
void Read(Decoder* in, SurveyReplyMessage* m) {
  m->survey_id = in->GetU64();
  m->loop = in->GetU16();
  m->loops = in->GetU16();
  if (m->loop >= m->loops) in->Fail();
  m->standing = ReadSlots(in);
  const uint64_t entries = in->GetCount(11);
  for (uint64_t i = 0; i < entries && in->ok(); ++i) {
    const SlotId slot = ReadSlot(in);
    const uint64_t clock_hash = in->GetU64();
    m->entries.push_back({slot, clock_hash, in->GetVarint()});
  }
  const uint64_t hinted = in->GetCount(2);
  for (uint64_t i = 0; i < hinted && in->ok(); ++i) m->hinted.push_back(ReadSlot(in));
}

void Body(const CloseAskMessage& m, Encoder* out) {
  out->PutU64(m.round);
  out->PutU8(static_cast<uint8_t>(m.step));
  out->PutU64(m.members_hash);
  out->PutVarint(m.entries.size());
  for (const auto& entry : m.entries) {
    out->PutU16(entry.slot);
    out->PutU64(entry.homes_hash);
    EncodeEndedLives(entry.lives, out);
  }
}
void Read(Decoder* in, CloseAskMessage* m) {
  m->round = in->GetU64();
  m->step = ReadStep(in);
  m->members_hash = in->GetU64();
  const uint64_t entries = in->GetCount(12);
  for (uint64_t i = 0; i < entries && in->ok(); ++i) {
    const SlotId slot = ReadSlot(in);
    const uint64_t homes_hash = in->GetU64();
    m->entries.push_back({slot, homes_hash, DecodeEndedLives(in)});
  }
}

void Body(const CloseAnswerMessage& m, Encoder* out) {
  out->PutU64(m.round);
  out->PutU8(static_cast<uint8_t>(m.step));
  out->PutVarint(m.entries.size());
  for (const auto& entry : m.entries) {
    out->PutU16(entry.slot);
    out->PutU8(entry.agrees ? 1 : 0);
  }
}
void Read(Decoder* in, CloseAnswerMessage* m) {
  m->round = in->GetU64();
  m->step = ReadStep(in);
  const uint64_t entries = in->GetCount(3);
  for (uint64_t i = 0; i < entries && in->ok(); ++i) {
    const SlotId slot = ReadSlot(in);
    m->entries.push_back({slot, in->GetU8() != 0});
  }
}

}  // namespace orrery::replication::bodies

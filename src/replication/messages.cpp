#include "orrery/replication/messages.h"

namespace orrery::replication {
namespace {

using causality::EventPtr;
using causality::EventPtrFromBytes;
using causality::SlotClock;

// A message's body, and how to read it back; overloads pair up by type.

void Body(const ForwardMessage& m, Encoder* out) {
  PieceEncoder<9 + Encoder::kVarintBytesMax> head;
  head.PutU64(m.request_id);
  head.PutU8(m.hops);
  head.PutVarint(m.age_ms);
  out->PutRaw(head.bytes());
  EncodeRequest(m.request, out);
}
void Read(Decoder* in, ForwardMessage* m) {
  m->request_id = in->GetU64();
  m->hops = in->GetU8();
  m->age_ms = in->GetVarint();
  m->request = DecodeRequest(in);
}

void Body(const ForwardReplyMessage& m, Encoder* out) {
  PieceEncoder<9 + Encoder::kVarintBytesMax> head;
  head.PutU64(m.request_id);
  head.PutU8(static_cast<uint8_t>(m.response.outcome));
  head.PutVarint(m.response.reply.size());
  out->PutRaw(head.bytes());
  out->PutRaw(m.response.reply);
}
void Read(Decoder* in, ForwardReplyMessage* m) {
  m->request_id = in->GetU64();
  const uint8_t outcome = in->GetU8();
  if (outcome > static_cast<uint8_t>(Outcome::kDiskError)) in->Fail();
  m->response.outcome = static_cast<Outcome>(outcome);
  m->response.reply = in->GetBytes();
}

EventPtr ReadEvent(Decoder* in) {
  EventPtr event = EventPtrFromBytes(in->GetBytes());
  if (!event) in->Fail();
  return event;
}

SlotId ReadSlot(Decoder* in) {
  const SlotId slot = in->GetU16();
  if (slot >= kSlotCount) in->Fail();
  return slot;
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
  PieceEncoder<2 + causality::kDotBytesMax> piece;
  piece.PutU16(m.slot);
  Encode(m.upto, &piece);
  out->PutRaw(piece.bytes());
}
void Read(Decoder* in, AckMessage* m) {
  m->slot = ReadSlot(in);
  m->upto = causality::DecodeDot(in);
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

void Body(const MergeRequestMessage& m, Encoder* out) {
  out->PutU16(m.slot);
  out->PutU64(m.merge_id);
  out->PutVarint(m.part);
  if (m.part != 0) return;
  out->PutU8(m.compare ? 1 : 0);
  if (!m.compare) return;
  out->PutVarint(m.rows);
  out->PutU64(m.digest);
}
void Read(Decoder* in, MergeRequestMessage* m) {
  m->slot = ReadSlot(in);
  m->merge_id = in->GetU64();
  m->part = static_cast<uint32_t>(in->GetVarint());
  if (m->part != 0) return;
  m->compare = in->GetU8() != 0;
  if (!m->compare) return;
  m->rows = in->GetVarint();
  m->digest = in->GetU64();
}

void PutRows(const std::vector<std::pair<std::string, std::string>>& rows, Encoder* out) {
  out->PutVarint(rows.size());
  for (const auto& [row_key, row] : rows) {
    out->PutBytes(row_key);
    out->PutBytes(row);
  }
}
void ReadRows(Decoder* in, std::vector<std::pair<std::string, std::string>>* rows) {
  const uint64_t count = in->GetCount(2);
  for (uint64_t i = 0; i < count && in->ok(); ++i) {
    std::string row_key(in->GetBytes());
    rows->emplace_back(std::move(row_key), in->GetBytes());
  }
}

void PutRange(const KeyRange& range, Encoder* out) {
  out->PutBytes(range.begin);
  out->PutBytes(range.end);
}
KeyRange ReadRange(Decoder* in) {
  std::string begin(in->GetBytes());
  return {std::move(begin), std::string(in->GetBytes())};
}

void Body(const MergePartMessage& m, Encoder* out) {
  out->PutU16(m.slot);
  out->PutU64(m.merge_id);
  out->PutVarint(m.part);
  out->PutU8(static_cast<uint8_t>((m.last ? 1 : 0) | (m.gone ? 2 : 0) | (m.holes.empty() ? 0 : 4)));
  PutRows(m.rows, out);
  if (!m.holes.empty()) out->PutVarint(m.holes.size());
  for (const KeyRange& hole : m.holes) PutRange(hole, out);
  if (m.part == 0) {
    m.clock.Encode(out);
    m.voided.Encode(out);
  }
}
void Read(Decoder* in, MergePartMessage* m) {
  m->slot = ReadSlot(in);
  m->merge_id = in->GetU64();
  m->part = static_cast<uint32_t>(in->GetVarint());
  const uint8_t flags = in->GetU8();
  m->last = (flags & 1) != 0;
  m->gone = (flags & 2) != 0;
  ReadRows(in, &m->rows);
  const uint64_t holes = (flags & 4) != 0 ? in->GetCount(2) : 0;
  for (uint64_t i = 0; i < holes && in->ok(); ++i) m->holes.push_back(ReadRange(in));
  if (m->part != 0) return;
  m->clock = SlotClock::Decode(in);
  m->voided = causality::VoidedSet::Decode(in);
}

void Body(const MergeAskMessage& m, Encoder* out) {
  out->PutU16(m.slot);
  out->PutU64(m.merge_id);
  out->PutVarint(m.step);
  out->PutVarint(m.wants.size());
  for (const auto& want : m.wants) {
    PutRange(want.range, out);
    out->PutVarint(want.piece_rows);
  }
}
void Read(Decoder* in, MergeAskMessage* m) {
  m->slot = ReadSlot(in);
  m->merge_id = in->GetU64();
  m->step = static_cast<uint32_t>(in->GetVarint());
  const uint64_t wants = in->GetCount(3);
  for (uint64_t i = 0; i < wants && in->ok(); ++i) {
    KeyRange range = ReadRange(in);
    m->wants.push_back({std::move(range), in->GetVarint()});
  }
}

void Body(const MergeTreeMessage& m, Encoder* out) {
  out->PutU16(m.slot);
  out->PutU64(m.merge_id);
  out->PutVarint(m.step);
  out->PutU8(m.complete ? 1 : 0);
  if (!m.complete) out->PutBytes(m.until);
  out->PutVarint(m.pieces.size());
  for (const auto& [end, hash] : m.pieces) {
    out->PutBytes(end);
    out->PutVarint(hash.rows);
    out->PutVarint(hash.bytes);
    out->PutU64(hash.hash);
  }
  PutRows(m.rows, out);
  if (m.step != 0) return;
  m.clock.Encode(out);
  m.voided.Encode(out);
  out->PutVarint(m.image_rows);
  out->PutU64(m.image_digest);
}
void Read(Decoder* in, MergeTreeMessage* m) {
  m->slot = ReadSlot(in);
  m->merge_id = in->GetU64();
  m->step = static_cast<uint32_t>(in->GetVarint());
  m->complete = in->GetU8() != 0;
  if (!m->complete) m->until = in->GetBytes();
  const uint64_t pieces = in->GetCount(11);
  for (uint64_t i = 0; i < pieces && in->ok(); ++i) {
    MergeTreeMessage::Piece piece;
    piece.end = in->GetBytes();
    piece.hash.rows = in->GetVarint();
    piece.hash.bytes = in->GetVarint();
    piece.hash.hash = in->GetU64();
    m->pieces.push_back(std::move(piece));
  }
  ReadRows(in, &m->rows);
  if (m->step != 0) return;
  m->clock = SlotClock::Decode(in);
  m->voided = causality::VoidedSet::Decode(in);
  m->image_rows = in->GetVarint();
  m->image_digest = in->GetU64();
}

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

void Body(const SurveyMessage& m, Encoder* out) {
  out->PutU64(m.survey_id);
  out->PutU8(m.db);
}
void Read(Decoder* in, SurveyMessage* m) {
  m->survey_id = in->GetU64();
  m->db = in->GetU8();
}

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

CloseAskMessage::Step ReadStep(Decoder* in) {
  const uint8_t step = in->GetU8();
  if (step < 1 || step > 5) in->Fail();
  return static_cast<CloseAskMessage::Step>(step);
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

// Writes, into the one byte before it, how long the body is that ends the frame; a longer one moves for its length.
void SetLength(size_t begin, std::string* frame) {
  PieceEncoder<Encoder::kVarintBytesMax> length;
  length.PutVarint(frame->size() - begin);
  frame->replace(begin - 1, 1, length.bytes());
}

// Decodes as the alternative whose kType it is.
template <size_t I = 0>
bool ReadAs(uint8_t type, Decoder* in, Message* message) {
  if constexpr (I < std::variant_size_v<Message>) {
    using M = std::variant_alternative_t<I, Message>;
    if (type != M::kType) return ReadAs<I + 1>(type, in, message);
    Read(in, &message->emplace<M>());
    return true;
  } else {
    return false;
  }
}

}  // namespace

void AppendMessage(const Message& message, std::string* frame) {
  std::visit(
      [frame](const auto& m) {
        Encoder out(frame);
        out.PutU8(m.kType);
        frame->push_back(0);
        const size_t begin = frame->size();
        Body(m, &out);
        SetLength(begin, frame);
      },
      message);
}

std::string BeginFrame(causality::HybridTime time, uint64_t sent_ms) {
  std::string frame;
  Encoder encoder(&frame);
  encoder.PutU64(time);
  encoder.PutU64(sent_ms);
  return frame;
}

FrameReader::FrameReader(std::string_view frame) : in_(frame) {
  time_ = in_.GetU64();
  sent_ms_ = in_.GetU64();
}

bool FrameReader::Next(Message* message) {
  while (in_.ok() && in_.remaining() > 0) {
    const uint8_t type = in_.GetU8();
    Decoder body(in_.GetBytes());
    if (!in_.ok()) return false;
    if (!ReadAs(type, &body, message)) {
      ++unknown_;
      continue;
    }
    if (body.done()) return true;
    in_.Fail();
  }
  return false;
}

std::optional<SlotId> SlotOfMessage(const Message& message) {
  return std::visit(
      [](const auto& m) -> std::optional<SlotId> {
        if constexpr (requires { m.slot; }) {
          return m.slot;
        } else if constexpr (requires { m.event; }) {
          return m.event->slot;
        } else if constexpr (requires { m.request; }) {
          return m.request.slot;
        } else {
          return std::nullopt;
        }
      },
      message);
}

}  // namespace orrery::replication

// Merges of slots.

#include "replication/message_bodies.h"

namespace orrery::replication::bodies {
namespace {

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

}  // namespace

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

}  // namespace orrery::replication::bodies

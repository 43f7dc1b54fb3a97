#include "orrery/causality/event.h"

#include "orrery/causality/voided_set.h"

namespace orrery::causality {
namespace {

// More than any dot, clock entry or count takes: what is reserved for each, so that encoding allocates once.
constexpr size_t kPartBytesMax = 32;
static_assert(kPartBytesMax > kDotBytesMax);

size_t BytesOf(const RowChange& change) {
  size_t bytes = change.row_key.size() + kPartBytesMax * (1 + change.removed.size());
  for (const Cell& cell : change.added) bytes += EncodedCellBytesMax(cell);
  return bytes;
}

size_t BytesOf(const Event& event) {
  size_t bytes = 2 * kPartBytesMax;
  for (const RowChange& change : event.changes) bytes += BytesOf(change);
  return bytes;
}

void EncodeChange(const RowChange& change, Encoder* out) {
  out->PutBytes(change.row_key);
  out->PutVarint(change.removed.size());
  for (const CellId& id : change.removed) EncodeCellId(id, out);
  out->PutVarint(change.added.size());
  for (const Cell& cell : change.added) EncodeCell(cell, out);
}

RowChange DecodeChange(Decoder* in) {
  RowChange change;
  change.row_key = in->GetBytes();
  const uint64_t removed = in->GetCount(11);
  for (uint64_t i = 0; i < removed && in->ok(); ++i) change.removed.push_back(DecodeCellId(in));
  const uint64_t added = in->GetCount(20);
  for (uint64_t i = 0; i < added && in->ok(); ++i) change.added.push_back(DecodeCell(in));
  return change;
}

}  // namespace

std::string EncodeEvent(const Event& event) {
  std::string bytes;
  bytes.reserve(BytesOf(event));
  Encoder out(&bytes);
  PieceEncoder<2 * kPartBytesMax> head;
  head.PutU16(event.slot);
  Encode(event.dot, &head);
  head.PutU64(event.hlc);
  head.PutVarint(event.scopes.size());
  out.PutRaw(head.bytes());
  for (const ScopeRemoval& scope : event.scopes) EncodeScope(scope, &out);
  out.PutVarint(event.changes.size());
  for (const RowChange& change : event.changes) EncodeChange(change, &out);
  return bytes;
}

EventPtr MakeEventPtr(const Event& event) {
  return std::make_shared<const EncodedEvent>(EncodedEvent{event.slot, event.dot, EncodeEvent(event)});
}

bool DecodeEvent(std::string_view bytes, Event* event) {
  Decoder in(bytes);
  *event = Event();
  event->slot = in.GetU16();
  event->dot = DecodeDot(&in);
  event->hlc = in.GetU64();
  const uint64_t scopes = in.GetCount(3);
  for (uint64_t i = 0; i < scopes && in.ok(); ++i) event->scopes.push_back(DecodeScope(&in));
  const uint64_t changes = in.GetCount(3);
  for (uint64_t i = 0; i < changes && in.ok(); ++i) event->changes.push_back(DecodeChange(&in));
  return in.done() && event->slot < kSlotCount && event->dot.counter > 0;
}

EventPtr EventPtrFromBytes(std::string_view bytes) {
  Decoder in(bytes);
  EncodedEvent event;
  event.slot = in.GetU16();
  event.dot = DecodeDot(&in);
  if (!in.ok() || event.slot >= kSlotCount || event.dot.counter == 0) return nullptr;
  event.bytes = bytes;
  return std::make_shared<const EncodedEvent>(std::move(event));
}

}  // namespace orrery::causality

#include "orrery/causality/event.h"

#include <utility>

#include "orrery/causality/voided_set.h"

namespace orrery::causality {
namespace {

// More than slot, dot, time and count take.
constexpr size_t kHeadBytesMax = 64;
static_assert(kHeadBytesMax > kDotBytesMax + sizeof(HybridTime) + 2 * Encoder::kVarintBytesMax);
// A larger buffer is not kept.
constexpr size_t kBufferBytesKept = 4096;

void EncodeChange(const RowChange& change, Encoder* out) {
  out->PutBytes(change.row_key);
  out->PutVarint(change.removed.size());
  for (const CellId& id : change.removed) EncodeCellId(id, out);
  out->PutVarint(change.added.size());
  for (const Cell& cell : change.added) EncodeCell(cell, out);
}

void DecodeChange(Decoder* in, RowChange* change) {
  change->row_key.assign(in->GetBytes());
  const uint64_t removed = in->GetCount(11);
  change->removed.clear();
  change->removed.reserve(removed);
  for (uint64_t i = 0; i < removed && in->ok(); ++i) change->removed.push_back(DecodeCellId(in));
  const uint64_t added = in->GetCount(20);
  change->added.clear();
  change->added.reserve(added);
  for (uint64_t i = 0; i < added && in->ok(); ++i) DecodeCell(in, &change->added.emplace_back());
}

}  // namespace

// Backlogs keep events for long, so the bytes are gathered elsewhere first and then take no more memory than
// they need.
std::string EncodeEvent(const Event& event) {
  static thread_local std::string gathered;
  gathered.clear();
  Encoder out(&gathered);
  PieceEncoder<kHeadBytesMax> head;
  head.PutU16(event.slot);
  Encode(event.dot, &head);
  head.PutU64(event.hlc);
  head.PutVarint(event.scopes.size());
  out.PutRaw(head.bytes());
  for (const ScopeRemoval& scope : event.scopes) EncodeScope(scope, &out);
  out.PutVarint(event.changes.size());
  for (const RowChange& change : event.changes) EncodeChange(change, &out);
  if (gathered.size() > kBufferBytesKept) return std::exchange(gathered, {});
  return gathered;
}

EventPtr MakeEventPtr(const Event& event) {
  return std::make_shared<const EncodedEvent>(EncodedEvent{event.slot, event.dot, EncodeEvent(event)});
}

bool DecodeEvent(std::string_view bytes, Event* event) {
  Decoder in(bytes);
  event->slot = in.GetU16();
  event->dot = DecodeDot(&in);
  event->hlc = in.GetU64();
  const uint64_t scopes = in.GetCount(3);
  event->scopes.clear();
  for (uint64_t i = 0; i < scopes && in.ok(); ++i) event->scopes.push_back(DecodeScope(&in));
  const uint64_t changes = in.GetCount(3);
  event->changes.resize(changes);
  for (uint64_t i = 0; i < changes && in.ok(); ++i) DecodeChange(&in, &event->changes[i]);
  return in.done() && event->slot < kSlotCount && event->dot.counter > 0;
}

std::string_view FirstRowKeyOf(const EncodedEvent& event) {
  Decoder in(event.bytes);
  in.GetU16();
  DecodeDot(&in);
  in.GetU64();
  const bool has_scopes = in.GetVarint() > 0;
  return has_scopes || in.GetVarint() == 0 ? std::string_view() : in.GetBytes();
}

EventPtr EventPtrFromBytes(std::string_view bytes) {
  Decoder in(bytes);
  EncodedEvent event;
  event.slot = in.GetU16();
  event.dot = DecodeDot(&in);
  if (!in.ok() || event.slot >= kSlotCount || event.dot.counter == 0) return nullptr;
  event.bytes = std::string(bytes);
  return std::make_shared<const EncodedEvent>(std::move(event));
}

}  // namespace orrery::causality

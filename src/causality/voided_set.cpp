#include "orrery/causality/voided_set.h"

#include <algorithm>

#include "orrery/base/marks.h"

namespace orrery::causality {
namespace {

std::string Bytes(const ScopeRemoval& scope) {
  std::string bytes;
  Encoder out(&bytes);
  EncodeScope(scope, &out);
  return bytes;
}

template <typename Cells>
bool ContainsDot(const Cells& cells, const Dot& dot) {
  return std::any_of(cells.begin(), cells.end(), [&](const auto& entry) { return entry.second.dot == dot; });
}

}  // namespace

bool VoidedSet::Contains(std::string_view row_key, const CellId& id) const {
  if (empty()) return false;
  if (cells_.contains(std::pair<std::string, CellId>(row_key, id))) return true;
  if (ORRERY_MUTATION("voided-by-bare-dot") && ContainsDot(cells_, id.dot)) return true;
  return std::any_of(scopes_.begin(), scopes_.end(), [&](const ScopeRemoval& scope) {
    return row_key.starts_with(scope.prefix) && scope.covered.Covers(id.dot);
  });
}

void VoidedSet::Add(std::string_view row_key, const CellId& id) { cells_.emplace(row_key, id); }

void VoidedSet::Add(ScopeRemoval scope) {
  const auto it = std::lower_bound(scopes_.begin(), scopes_.end(), Bytes(scope),
                                   [](const ScopeRemoval& s, const std::string& b) { return Bytes(s) < b; });
  if (it == scopes_.end() || *it != scope) scopes_.insert(it, std::move(scope));
}

void VoidedSet::Join(const VoidedSet& other) {
  cells_.insert(other.cells_.begin(), other.cells_.end());
  for (const ScopeRemoval& scope : other.scopes_) Add(scope);
}

void VoidedSet::Prune(const SlotClock& clock) {
  if (empty()) return;
  std::erase_if(cells_, [&](const auto& entry) { return clock.Covers(entry.second.dot); });
  std::erase_if(scopes_, [&](const ScopeRemoval& scope) { return clock.CoversEveryDotOf(scope.covered); });
}

void VoidedSet::Encode(Encoder* out) const {
  out->PutVarint(cells_.size());
  for (const auto& [row_key, id] : cells_) {
    out->PutBytes(row_key);
    EncodeCellId(id, out);
  }
  out->PutVarint(scopes_.size());
  for (const ScopeRemoval& scope : scopes_) EncodeScope(scope, out);
}

VoidedSet VoidedSet::Decode(Decoder* in) {
  VoidedSet voided;
  const uint64_t cells = in->GetCount(12);
  for (uint64_t i = 0; i < cells && in->ok(); ++i) {
    const std::string_view row_key = in->GetBytes();
    voided.Add(row_key, DecodeCellId(in));
  }
  const uint64_t scopes = in->GetCount(3);
  for (uint64_t i = 0; i < scopes && in->ok(); ++i) voided.Add(DecodeScope(in));
  return voided;
}

void EncodeScope(const ScopeRemoval& scope, Encoder* out) {
  out->PutBytes(scope.prefix);
  scope.covered.Encode(out);
}

ScopeRemoval DecodeScope(Decoder* in) {
  ScopeRemoval scope;
  scope.prefix = in->GetBytes();
  scope.covered = SlotClock::Decode(in);
  return scope;
}

void EncodeCellId(const CellId& id, Encoder* out) {
  PieceEncoder<1 + kDotBytesMax> piece;
  piece.PutU8(static_cast<uint8_t>(id.kind));
  Encode(id.dot, &piece);
  out->PutRaw(piece.bytes());
}

CellId DecodeCellId(Decoder* in) {
  const uint8_t kind = in->GetU8();
  if (kind < 1 || kind > 3) in->Fail();
  return {DecodeDot(in), static_cast<CellKind>(kind)};
}

}  // namespace orrery::causality

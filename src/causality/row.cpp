#include "orrery/causality/row.h"

#include <algorithm>

namespace orrery::causality {
namespace {

constexpr size_t kCellBytesMin = 20;
constexpr size_t kCellBytesReserved = 64;   // kind, dot, birth, time and the lengths of payload and past
constexpr size_t kEntryBytesReserved = 28;  // node, incarnation, counter

template <typename Cells>
auto LowerBound(Cells& cells, const CellId& id) {
  return std::lower_bound(cells.begin(), cells.end(), id,
                          [](const Cell& cell, const CellId& i) { return cell.id() < i; });
}

bool IsKind(uint8_t byte) {
  return byte >= 1 && byte <= 3;
}

}  // namespace

bool Row::HasValue() const {
  return std::any_of(cells.begin(), cells.end(),
                     [](const Cell& cell) { return cell.kind != CellKind::kExpiry; });
}

Cell* Row::Find(const CellId& id) {
  return const_cast<Cell*>(std::as_const(*this).Find(id));
}

const Cell* Row::Find(const CellId& id) const {
  const auto it = LowerBound(cells, id);
  return it != cells.end() && it->id() == id ? &*it : nullptr;
}

void Row::Upsert(Cell cell) {
  const auto it = LowerBound(cells, cell.id());
  if (it != cells.end() && it->id() == cell.id()) {
    *it = std::move(cell);
  } else {
    cells.insert(it, std::move(cell));
  }
}

bool Row::Erase(const CellId& id) {
  const auto it = LowerBound(cells, id);
  if (it == cells.end() || it->id() != id) return false;
  cells.erase(it);
  return true;
}

const Cell* Row::NewestValue() const {
  const Cell* newest = nullptr;
  for (const Cell& cell : cells) {
    if (cell.kind == CellKind::kValue && (newest == nullptr || IsNewer(cell, *newest))) newest = &cell;
  }
  return newest;
}

VersionVector Row::Clock() const {
  VersionVector clock;
  for (const Cell& cell : cells) {
    clock.Raise(cell.dot);
    clock.Join(cell.past);
  }
  return clock;
}

HybridTime Row::MaxHlc() const {
  HybridTime max = 0;
  for (const Cell& cell : cells) max = std::max(max, cell.hlc);
  return max;
}

bool IsNewer(const Cell& a, const Cell& b) {
  if (a.hlc != b.hlc) return a.hlc > b.hlc;
  return a.dot > b.dot;
}

size_t EncodedCellBytesMax(const Cell& cell) {
  return kCellBytesReserved + cell.payload.size() + kEntryBytesReserved * cell.past.entries().size();
}

void EncodeCell(const Cell& cell, Encoder* out) {
  PieceEncoder<kCellBytesReserved> head;
  head.PutU8(static_cast<uint8_t>(cell.kind));
  Encode(cell.dot, &head);
  if (cell.kind == CellKind::kIncrement) head.PutVarint(cell.birth);
  head.PutU64(cell.hlc);
  head.PutVarint(cell.payload.size());
  out->PutRaw(head.bytes());
  out->PutLarge(cell.payload, kCellBytesReserved + kEntryBytesReserved * cell.past.entries().size());
  if (cell.kind == CellKind::kValue) cell.past.Encode(out);
}

void DecodeCell(Decoder* in, Cell* cell) {
  const uint8_t kind = in->GetU8();
  if (!IsKind(kind)) in->Fail();
  cell->kind = static_cast<CellKind>(kind);
  cell->dot = DecodeDot(in);
  cell->birth = cell->kind == CellKind::kIncrement ? in->GetVarint() : cell->dot.counter;
  if (cell->birth == 0 || cell->birth > cell->dot.counter) in->Fail();
  cell->hlc = in->GetU64();
  cell->payload = in->GetBytes();
  if (cell->kind == CellKind::kValue) cell->past = VersionVector::Decode(in);
}

std::string EncodeRow(const Row& row) {
  std::string bytes;
  EncodeRow(row, &bytes);
  return bytes;
}

void EncodeRow(const Row& row, std::string* bytes) {
  size_t reserved = Encoder::kVarintBytesMax;
  for (const Cell& cell : row.cells) reserved += EncodedCellBytesMax(cell);
  bytes->clear();
  bytes->reserve(reserved);
  Encoder out(bytes);
  out.PutVarint(row.cells.size());
  for (const Cell& cell : row.cells) EncodeCell(cell, &out);
}

std::optional<std::string_view> SoleValue(std::string_view bytes) {
  constexpr size_t kNodeBytes = 8, kHlcBytes = 8;
  constexpr char kLonger = static_cast<char>(0x80);
  if (bytes.size() < kCellBytesMin || bytes[0] != 1 || bytes[1] != static_cast<char>(CellKind::kValue))
    return std::nullopt;
  size_t at = 2 + kNodeBytes;
  for (int varint = 0; varint < 2; ++varint) {  // incarnation, counter
    while (at < bytes.size() && (bytes[at] & kLonger) != 0) ++at;
    ++at;
  }
  at += kHlcBytes;
  if (at >= bytes.size() || (bytes[at] & kLonger) != 0) return std::nullopt;
  const auto size = static_cast<size_t>(bytes[at++]);
  // Behind the payload, the number of entries of the past.
  if (bytes.size() != at + size + 1 || bytes.back() != 0) return std::nullopt;
  return bytes.substr(at, size);
}

bool DecodeRow(std::string_view bytes, Row* row) {
  Decoder in(bytes);
  row->cells.clear();
  const uint64_t n = in.GetCount(kCellBytesMin);
  row->cells.reserve(n);
  for (uint64_t i = 0; i < n && in.ok(); ++i) {
    DecodeCell(&in, &row->cells.emplace_back());
    if (i > 0 && !(row->cells[i - 1].id() < row->cells[i].id())) return false;
  }
  return in.done();
}

}  // namespace orrery::causality

#include "orrery/causality/replacement.h"

#include "orrery/causality/voided_set.h"

namespace orrery::causality {
namespace {

struct SoleCell {
  Dot dot;
  HybridTime hlc = 0;
};

std::optional<SoleCell> SoleCellOf(std::string_view row) {
  Decoder in(row);
  if (in.GetVarint() != 1 || in.GetU8() != static_cast<uint8_t>(CellKind::kValue)) return std::nullopt;
  SoleCell cell;
  cell.dot = DecodeDot(&in);
  cell.hlc = in.GetU64();
  in.GetBytes();
  const bool has_past = in.GetVarint() != 0;
  if (!in.done() || has_past || cell.dot.counter == 0) return std::nullopt;
  return cell;
}

}  // namespace

std::optional<Replacement> ReplacementIn(std::string_view bytes) {
  Decoder in(bytes);
  if (in.GetU16() >= kSlotCount) return std::nullopt;
  Replacement found;
  found.dot = DecodeDot(&in);
  found.hlc = in.GetU64();
  const uint64_t scopes = in.GetVarint();
  const uint64_t changes = in.GetVarint();
  if (scopes != 0 || changes != 1) return std::nullopt;
  found.row_key = in.GetBytes();
  if (in.GetVarint() != 1) return std::nullopt;
  found.removed = DecodeCellId(&in);
  if (!in.ok()) return std::nullopt;
  found.row = in.GetRaw(in.remaining());  // the number of added cells, and these, as in a row
  const auto added = SoleCellOf(found.row);
  if (!added || added->dot != found.dot || added->hlc != found.hlc) return std::nullopt;
  return found;
}

std::optional<CellId> SoleValueId(std::string_view row) {
  const auto cell = SoleCellOf(row);
  if (!cell) return std::nullopt;
  return CellId{cell->dot, CellKind::kValue};
}

}  // namespace orrery::causality

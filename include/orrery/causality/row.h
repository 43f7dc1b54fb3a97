#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/causality/dot.h"
#include "orrery/causality/hybrid_clock.h"
#include "orrery/causality/version_vector.h"

namespace orrery::causality {

/// Part of the stored format; never reuse a number.
enum class CellKind : uint8_t {
  kValue = 1,      ///< a value; several in one row are siblings
  kIncrement = 2,  ///< one actor's own sum since the cell's birth; all of a row's add up
  kExpiry = 3,     ///< payload: the deadline, milliseconds since the epoch, as text of types/
};

/// What names a cell for removal, coverage and the voided set. For an increment the dot is its birth, which stays while
/// its sum grows; for the other kinds it is the cell's own dot.
struct CellId {
  Dot dot;
  CellKind kind = CellKind::kValue;
  auto operator<=>(const CellId&) const = default;
};

/// A dotted piece of a row. Immutable once made, but for increments, which later versions of the same birth replace.
struct Cell {
  CellKind kind = CellKind::kValue;
  Dot dot;
  /// Increments only: the counter of the event that started this sum; equals dot.counter otherwise.
  uint64_t birth = 0;
  HybridTime hlc = 0;
  std::string payload;
  /// Values only: what the writer had seen of this row and `dot` does not say, for DGET's context. At most
  /// kPastEntriesMax entries (Dynamo, section 4.4: clock truncation; harmless here, since dots decide).
  VersionVector past;

  CellId id() const { return {{dot.actor, birth}, kind}; }
  bool operator==(const Cell&) const = default;
};

inline constexpr size_t kPastEntriesMax = 10;

/// The live cells under one row key. Sorted by id, so that equal rows have equal bytes. An empty row does not exist.
struct Row {
  std::vector<Cell> cells;

  bool empty() const { return cells.empty(); }
  /// Whether it shows anything: a row with nothing but an Expiry cell does not.
  bool HasValue() const;
  Cell* Find(const CellId& id);
  const Cell* Find(const CellId& id) const;
  /// Inserts, or replaces the cell of the same id.
  void Upsert(Cell cell);
  /// Whether there was one.
  bool Erase(const CellId& id);

  /// The value that plain commands show: newest by (hlc, actor); nullptr if there is none.
  const Cell* NewestValue() const;
  /// Every live dot and the pasts of the values: the key's vector clock (docs/dget-dput.md).
  VersionVector Clock() const;
  HybridTime MaxHlc() const;

  bool operator==(const Row&) const = default;
};

/// True if a is newer: by hybrid time, then by actor; the same on every replica.
bool IsNewer(const Cell& a, const Cell& b);

void EncodeCell(const Cell& cell, Encoder* out);
/// At least as much as EncodeCell writes.
size_t EncodedCellBytesMax(const Cell& cell);
/// REQUIRES: *cell as it is made.
void DecodeCell(Decoder* in, Cell* cell);

std::string EncodeRow(const Row& row);
/// The same into memory that is at hand, in place of what is there.
void EncodeRow(const Row& row, std::string* bytes);
/// False if the bytes are not what EncodeRow writes; the row is then unspecified.
[[nodiscard]] bool DecodeRow(std::string_view bytes, Row* row);
/// The payload of an encoded row that is one short value without a past, as most rows are; nullopt of all others, which
/// are for DecodeRow. A tenth of its work: it looks at lengths and kinds alone.
std::optional<std::string_view> SoleValue(std::string_view bytes);

}  // namespace orrery::causality

#include "simulation/sketch_check.h"

#include "orrery/storage/row_key.h"
#include "orrery/types/hyperloglog.h"

namespace orrery::simulation {
namespace {

using causality::Cell;
using causality::CellKind;
using types::HyperLogLog;

/// False: the cell holds no HyperLogLog.
bool Join(const Cell& cell, HyperLogLog* joined) {
  if (cell.kind != CellKind::kValue) return true;
  if (!HyperLogLog::LooksLikeOne(cell.payload)) return false;
  const auto registers = HyperLogLog::Parse(cell.payload);
  if (!registers) return false;
  joined->Join(*registers);
  return true;
}

size_t DifferentRegisters(const HyperLogLog& a, const HyperLogLog& b) {
  size_t different = 0;
  for (size_t i = 0; i < HyperLogLog::kRegisters; ++i) different += a.at(i) == b.at(i) ? 0 : 1;
  return different;
}

}  // namespace

std::string SketchDifference(const History& history, SlotId slot, const causality::SlotClock& clock,
                             const std::string& key) {
  const auto expected = history.At(slot, clock);
  if (!expected) return {};
  const std::string row_key = storage::EncodeRowKey({0, key, storage::RowTag::kString, {}});
  HyperLogLog shown;
  HyperLogLog written;
  const auto row = expected->rows.find(row_key);
  if (row != expected->rows.end()) {
    for (const Cell& cell : row->second.cells) {
      if (!Join(cell, &shown)) return key + " holds what is no HyperLogLog";
    }
  }
  const causality::VersionVector applied = history.Applied(slot, clock);
  for (const auto& [actor, events] : history.actors(slot)) {
    for (const auto& event : events) {
      if (!applied.Covers(event.dot)) continue;
      for (const auto& change : event.changes) {
        if (change.row_key != row_key) continue;
        for (const Cell& cell : change.added) Join(cell, &written);
      }
    }
  }
  const size_t different = DifferentRegisters(shown, written);
  if (different == 0) return {};
  return key + " counts " + std::to_string(shown.Count()) + " where " + std::to_string(written.Count()) +
         " were counted: " + std::to_string(different) + " registers differ";
}

}  // namespace orrery::simulation

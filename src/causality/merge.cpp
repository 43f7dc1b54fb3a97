#include "orrery/causality/merge.h"

#include <algorithm>

#include "orrery/base/marks.h"

namespace orrery::causality {
namespace {

// A later version of an increment whose birth was removed here adds nothing: a removal takes the whole birth.
bool BirthWasRemoved(const Cell& cell, const Row& row, const SlotClock& clock) {
  return cell.birth != cell.dot.counter && row.Find(cell.id()) == nullptr && clock.Covers(cell.id().dot);
}

bool SurvivesAlone(std::string_view row_key, const Cell& cell, const Knowledge& other) {
  CellId id = cell.id();
  if (ORRERY_MUTATION("increment-removed-by-latest-dot")) id.dot = cell.dot;
  if (other.clock.Covers(id.dot)) return ORRERY_MUTATION("merge-keeps-what-the-other-removed");
  if (ORRERY_MUTATION("merge-without-voided-set")) return true;
  return !other.voided.Contains(row_key, id);
}

}  // namespace

void ApplyChange(const RowChange& change, const Knowledge& before, Row* row) {
  for (const CellId& id : change.removed) row->Erase(id);
  for (const Cell& cell : change.added) {
    if (before.voided.Contains(change.row_key, cell.id())) {
      ORRERY_MARK("late addition was voided");
      continue;
    }
    if (BirthWasRemoved(cell, *row, before.clock)) {
      ORRERY_MARK("late increment of a removed birth");
      continue;
    }
    row->Upsert(cell);
  }
}

bool ApplyScope(const ScopeRemoval& scope, Row* row) {
  return std::erase_if(row->cells, [&](const Cell& cell) { return scope.covered.Covers(cell.id().dot); }) > 0;
}

void VoidUnseen(const Event& event, const SlotClock& clock, VoidedSet* voided) {
  if (ORRERY_MUTATION("no-voided-set")) return;
  for (const RowChange& change : event.changes) {
    for (const CellId& id : change.removed) {
      if (clock.Covers(id.dot)) continue;
      ORRERY_MARK("removal before the addition");
      voided->Add(change.row_key, id);
    }
  }
  for (const ScopeRemoval& scope : event.scopes) {
    if (clock.CoversEveryDotOf(scope.covered)) continue;
    ORRERY_MARK("scope removal ahead of its additions");
    voided->Add(scope);
  }
}

Row MergeRows(std::string_view row_key, const Row& ours, const Knowledge& we, const Row& theirs,
              const Knowledge& they) {
  Row merged;
  for (const Cell& cell : ours.cells) {
    const Cell* twin = theirs.Find(cell.id());
    if (twin != nullptr) {
      merged.cells.push_back(twin->dot > cell.dot && !ORRERY_MUTATION("tie-break-by-arrival") ? *twin : cell);
    } else if (SurvivesAlone(row_key, cell, they)) {
      merged.cells.push_back(cell);
    }
  }
  for (const Cell& cell : theirs.cells) {
    if (ours.Find(cell.id()) == nullptr && SurvivesAlone(row_key, cell, we)) merged.Upsert(cell);
  }
  return merged;
}

}  // namespace orrery::causality

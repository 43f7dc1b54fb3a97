#include "orrery/types/string_type.h"

#include <algorithm>

#include "orrery/base/numbers.h"
#include "orrery/types/element.h"
#include "orrery/types/expiry.h"
#include "types/wide_integer.h"

namespace orrery::types {

using causality::Cell;
using causality::CellId;
using causality::CellKind;
using causality::Row;
using causality::VersionVector;

namespace {

// What a new cell of `own` must remember of the clock: all but its own actor, whose entry the new dot says.
// The oldest lives go first beyond the limit.
VersionVector PastOf(const VersionVector& clock, const causality::Actor& own) {
  std::vector<VersionVector::Entry> entries;
  for (const auto& entry : clock.entries()) {
    if (entry.actor != own) entries.push_back(entry);
  }
  if (entries.size() > causality::kPastEntriesMax) {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& a, const auto& b) { return a.actor.incarnation > b.actor.incarnation; });
    entries.resize(causality::kPastEntriesMax);
  }
  VersionVector past;
  for (const auto& entry : entries) past.Raise(entry.actor, entry.counter);
  return past;
}

// As PastOf(row.Clock(), own), at no cost where nobody else has written.
VersionVector PastOf(const Row& row, const causality::Actor& own) {
  const bool all_own = std::all_of(row.cells.begin(), row.cells.end(), [&](const Cell& cell) {
    return cell.dot.actor == own && cell.past.empty();
  });
  return all_own ? VersionVector() : PastOf(row.Clock(), own);
}

}  // namespace

std::string_view StringKey::Show(std::string* scratch) const {
  return ShowValue(row(), scratch);
}

std::string StringKey::Value() const {
  std::string scratch;
  return std::string(Show(&scratch));
}

size_t StringKey::Length() const {
  std::string scratch;
  return exists() ? Show(&scratch).size() : 0;
}

std::optional<int64_t> StringKey::AsInteger() const {
  std::string scratch;
  return exists() ? ParseInteger(Show(&scratch)) : 0;
}

void StringKey::Set(std::string_view value, const Lifetime& lifetime) {
  const bool keeps = lifetime.kind == Lifetime::Kind::kKeep;
  const std::optional<uint64_t> kept = keeps ? deadline() : std::nullopt;
  VersionVector past = PastOf(row(), transaction().context().dot.actor);
  Remove();
  transaction().AddValue(row_key(), std::string(value), std::move(past));
  // What governs must be as new as the value.
  if (kept) AddDeadline(&transaction(), row_key(), *kept);
  if (lifetime.kind == Lifetime::Kind::kUntil) AddDeadline(&transaction(), row_key(), lifetime.deadline_ms);
  Changed();
}

void StringKey::Increment(int64_t delta) {
  PrepareWrite();
  FoldIncrements(&transaction(), storage::RowTag::kString, row_key());
  transaction().AddIncrement(
      row_key(), [delta](std::string_view old_sum) { return WideToText(WideFromText(old_sum) + delta); });
  Changed();
}

std::vector<std::string> StringKey::Siblings() const {
  std::vector<std::string> values;
  if (!exists()) return values;
  std::vector<const Cell*> cells;
  for (const Cell& cell : row().cells) {
    if (cell.kind == CellKind::kValue) cells.push_back(&cell);
  }
  std::sort(cells.begin(), cells.end(), [](const Cell* a, const Cell* b) { return IsNewer(*a, *b); });
  if (cells.empty()) return {Value()};
  for (const Cell* cell : cells) values.push_back(cell == cells.front() ? Value() : cell->payload);
  return values;
}

CausalContext StringKey::Context() const {
  return exists() ? CausalContext{row().Clock(), std::nullopt} : CausalContext();
}

// A forged context must not reach what is yet to come.
CausalContext StringKey::CutToClock(const CausalContext& seen) const {
  const causality::SlotClock& clock = *transaction().context().clock;
  CausalContext cut;
  for (const auto& entry : seen.clock.entries()) {
    const uint64_t known = clock.IsClosed(entry.actor) ? entry.counter : clock.Get(entry.actor);
    cut.clock.Raise(entry.actor, std::min(entry.counter, known));
  }
  if (seen.beyond && clock.Covers(*seen.beyond)) cut.beyond = seen.beyond;
  return cut;
}

// An increment is covered by its latest dot: one that has grown since the context was read stays whole.
size_t StringKey::RemoveCovered(const CausalContext& seen) {
  PrepareWrite();
  const CausalContext cut = CutToClock(seen);
  std::vector<CellId> covered;
  for (const Cell& cell : row().cells) {
    if (cut.Covers(cell.dot)) covered.push_back(cell.id());
  }
  for (const CellId& id : covered) transaction().Remove(row_key(), id);
  Changed();
  return covered.size();
}

CausalContext StringKey::Put(std::string_view value, const CausalContext& seen,
                             std::optional<uint64_t> deadline_ms) {
  RemoveCovered(seen);
  const causality::Dot& dot = transaction().context().dot;
  CausalContext written{CutToClock(seen).clock, std::nullopt};
  // Where a sibling of our own actor stays that the writer has not read, a clock with the new dot would cover
  // it, too.
  const bool unread = std::any_of(row().cells.begin(), row().cells.end(),
                                  [&](const Cell& cell) { return cell.dot.actor == dot.actor; });
  transaction().AddValue(row_key(), std::string(value), PastOf(written.clock, dot.actor));
  if (deadline_ms) AddDeadline(&transaction(), row_key(), *deadline_ms);
  Changed();
  if (unread) {
    written.beyond = dot;
  } else {
    written.clock.Raise(dot);
  }
  return written;
}

void RemoveSeen(storage::Transaction* transaction, std::string_view row_key, const Row& seen) {
  const auto parsed = storage::SplitRowKey(row_key);
  const storage::RowTag tag = parsed ? parsed->tag : storage::RowTag::kString;
  std::string counted_since;
  for (const Cell& cell : seen.cells) {
    const Cell* now = transaction->Get(row_key).Find(cell.id());
    if (now == nullptr) continue;
    // The same birth has counted on: its id covers both versions, so what came later is counted anew.
    if (now->dot.counter > cell.dot.counter) {
      counted_since = AddToSum(tag, counted_since, now->payload, cell.payload);
    }
    transaction->Remove(row_key, cell.id());
  }
  if (counted_since.empty()) return;
  transaction->AddIncrement(
      row_key, [&](std::string_view old_sum) { return AddToSum(tag, old_sum, counted_since, {}); });
}

}  // namespace orrery::types

#include "orrery/types/string_type.h"

#include <algorithm>

#include "orrery/base/numbers.h"
#include "orrery/storage/row_key.h"
#include "orrery/types/expiry.h"

namespace orrery::types {

using causality::Cell;
using causality::CellId;
using causality::CellKind;
using causality::Row;
using causality::VersionVector;

namespace {

__extension__ using Wide = __int128;

// Sums of concurrent increments may pass the range of one; what shows then is the end of the range.
int64_t Clamp(Wide value) {
  return static_cast<int64_t>(std::clamp<Wide>(value, INT64_MIN, INT64_MAX));
}

struct Increments {
  bool any = false;
  Wide sum = 0;
};

Increments SumOf(const Row& row) {
  Increments increments;
  for (const Cell& cell : row.cells) {
    if (cell.kind != CellKind::kIncrement) continue;
    increments.any = true;
    increments.sum += ParseInteger(cell.payload).value_or(0);
  }
  return increments;
}

std::string Text(int64_t value) {
  std::string text;
  AppendInteger(value, &text);
  return text;
}

// What a value shows together with the increments beside it: they count only on an integer.
std::string Shown(std::string_view value, const Increments& increments) {
  if (!increments.any) return std::string(value);
  const std::optional<int64_t> base = ParseInteger(value);
  return base ? Text(Clamp(increments.sum + *base)) : std::string(value);
}

// What a new cell of `own` must remember of the clock: all but its own actor, whose entry the new dot says. The oldest
// lives go first beyond the limit.
VersionVector PastOf(const VersionVector& clock, const causality::Actor& own) {
  std::vector<VersionVector::Entry> entries;
  for (const auto& entry : clock.entries()) {
    if (entry.actor != own) entries.push_back(entry);
  }
  if (entries.size() > causality::kPastEntriesMax) {
    std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
      return a.actor.incarnation > b.actor.incarnation;
    });
    entries.resize(causality::kPastEntriesMax);
  }
  VersionVector past;
  for (const auto& entry : entries) past.Raise(entry.actor, entry.counter);
  return past;
}

}  // namespace

bool HasValue(const Row& row) {
  return std::any_of(row.cells.begin(), row.cells.end(), [](const Cell& cell) { return cell.kind != CellKind::kExpiry; });
}

StringKey::StringKey(storage::Transaction* transaction, uint8_t db, std::string_view key)
    : transaction_(transaction),
      row_key_(storage::EncodeRowKey({db, key, storage::RowTag::kString, {}})) {}

bool StringKey::exists() const { return HasValue(row()) && !IsExpired(row(), transaction_->now_ms()); }

std::string StringKey::Value() const {
  const Cell* newest = row().NewestValue();
  const Increments increments = SumOf(row());
  if (newest == nullptr) return Text(Clamp(increments.sum));
  return Shown(newest->payload, increments);
}

size_t StringKey::Length() const {
  if (!exists()) return 0;
  const Cell* newest = row().NewestValue();
  return newest != nullptr && !IsCounter() ? newest->payload.size() : Value().size();
}

bool StringKey::IsCounter() const { return SumOf(row()).any; }

std::optional<int64_t> StringKey::AsInteger() const {
  if (!exists()) return 0;
  return ParseInteger(Value());
}

std::optional<uint64_t> StringKey::deadline() const { return exists() ? DeadlineOf(row()) : std::nullopt; }

void StringKey::DropIfExpired() {
  if (IsExpired(row(), transaction_->now_ms())) transaction_->Clear(row_key_);
}

void StringKey::Set(std::string_view value, const Lifetime& lifetime) {
  const std::optional<uint64_t> kept = lifetime.kind == Lifetime::Kind::kKeep ? deadline() : std::nullopt;
  VersionVector past = PastOf(row().Clock(), transaction_->context().dot.actor);
  transaction_->Clear(row_key_);
  transaction_->AddValue(row_key_, std::string(value), std::move(past));
  if (lifetime.kind == Lifetime::Kind::kUntil) SetDeadline(transaction_, row_key_, lifetime.deadline_ms);
  if (kept) SetDeadline(transaction_, row_key_, *kept);
}

void StringKey::Increment(int64_t delta) {
  DropIfExpired();
  transaction_->AddIncrement(row_key_, [delta](std::string_view old_sum) {
    return Text(Clamp(static_cast<Wide>(ParseInteger(old_sum).value_or(0)) + delta));
  });
}

void StringKey::Remove() { transaction_->Clear(row_key_); }

void StringKey::ExpireAt(uint64_t deadline_ms) { SetDeadline(transaction_, row_key_, deadline_ms); }

void StringKey::Persist() { RemoveDeadline(transaction_, row_key_); }

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

VersionVector StringKey::Clock() const { return exists() ? row().Clock() : VersionVector(); }

// A forged context must not reach what is yet to come.
VersionVector StringKey::CutToClock(const VersionVector& context) const {
  const causality::SlotClock& clock = *transaction_->context().clock;
  VersionVector cut;
  for (const auto& entry : context.entries()) {
    const uint64_t seen = clock.IsClosed(entry.actor) ? entry.counter : clock.Get(entry.actor);
    cut.Raise(entry.actor, std::min(entry.counter, seen));
  }
  return cut;
}

size_t StringKey::RemoveCovered(const VersionVector& context) {
  DropIfExpired();
  const VersionVector cut = CutToClock(context);
  std::vector<CellId> covered;
  for (const Cell& cell : row().cells) {
    if (cut.Covers(cell.dot)) covered.push_back(cell.id());
  }
  for (const CellId& id : covered) transaction_->Remove(row_key_, id);
  return covered.size();
}

VersionVector StringKey::Put(std::string_view value, const VersionVector& context, std::optional<uint64_t> deadline_ms) {
  RemoveCovered(context);
  const causality::Dot& dot = transaction_->context().dot;
  VersionVector written = CutToClock(context);
  // A sibling of our own actor that the writer has not read stands between its context and the new dot: a vector that
  // had the new dot would cover it unread. Without it, the next DPUT makes a sibling too many, which loses nothing.
  const bool unread = std::any_of(row().cells.begin(), row().cells.end(),
                                  [&](const Cell& cell) { return cell.dot.actor == dot.actor; });
  transaction_->AddValue(row_key_, std::string(value), PastOf(written, dot.actor));
  if (deadline_ms) SetDeadline(transaction_, row_key_, *deadline_ms);
  if (!unread) written.Raise(dot);
  return written;
}

}  // namespace orrery::types

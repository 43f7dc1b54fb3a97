#include "orrery/storage/transaction.h"

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/storage/row_key.h"

namespace orrery::storage {

using causality::Cell;
using causality::CellId;
using causality::CellKind;
using causality::Row;

causality::Row& Transaction::Touched::Modify() {
  if (!std::exchange(differs, true)) now = before.row;
  return now;
}

const Row& Transaction::Get(std::string_view row_key) {
  return Load(row_key).row();
}

Transaction::Touched& Transaction::Load(std::string_view row_key) {
  const auto it = touched_.lower_bound(row_key);
  if (it != touched_.end() && it->first == row_key) return it->second;
  return touched_.emplace_hint(it, row_key, ReadRow(row_key))->second;
}

Transaction::Touched Transaction::ReadRow(std::string_view row_key) {
  Touched touched;
  if (Status s = ReadStoredRow(store_, context_.slot, row_key, &touched.before); !s.ok()) {
    status_ = s;
    touched.before = StoredRow();
  }
  // A scope takes everything that the clock before this event covers, and so every stored cell.
  if (!scopes_.empty() && IsRemoved(row_key)) touched.Modify().cells.clear();
  touched.stood = touched.row().HasValue();
  return touched;
}

Row Transaction::GetBefore(std::string_view row_key) {
  StoredRow stored;
  if (Status s = ReadStoredRow(store_, context_.slot, row_key, &stored); !s.ok()) status_ = s;
  return std::move(stored.row);
}

void Transaction::VisitOwn(std::string_view prefix, const OwnVisitor& visit) const {
  for (auto it = touched_.lower_bound(prefix); it != touched_.end() && it->first.starts_with(prefix); ++it) {
    visit(it->first, it->second.stood, it->second.row());
  }
}

template <typename OnRow, typename OnBytes>
void Transaction::Walk(std::string_view prefix, std::string_view from, const OnRow& on_row,
                       const OnBytes& on_bytes) {
  const std::string slot = SlotPrefix(context_.slot);
  const std::string start = from.empty() ? std::string() : slot + std::string(from);
  auto cursor = store_.Scan(Table::kRows, slot + std::string(prefix), start);
  auto own = touched_.lower_bound(std::max(prefix, from));
  const auto own_valid = [&] { return own != touched_.end() && own->first.starts_with(prefix); };
  while (cursor->Valid() || own_valid()) {
    const std::string_view stored = cursor->Valid() ? cursor->key().substr(slot.size()) : std::string_view();
    if (own_valid() && (!cursor->Valid() || own->first <= stored)) {
      if (cursor->Valid() && own->first == stored) cursor->Next();
      const auto current = own++;
      const Row& row = current->second.row();
      if (!row.empty() && !on_row(current->first, row)) return;
      continue;
    }
    if (!IsRemoved(stored) && !on_bytes(stored, cursor->value())) return;
    cursor->Next();
  }
  if (!cursor->status().ok()) status_ = cursor->status();
}

bool Transaction::Decode(std::string_view bytes, Row* row) {
  if (causality::DecodeRow(bytes, row)) return true;
  status_ = Status::Corruption("row does not decode");
  return false;
}

void Transaction::Scan(std::string_view prefix, std::string_view from, const Visitor& visit) {
  Row decoded;  // one for all, so that its memory is used again
  Walk(prefix, from, visit, [&](std::string_view row_key, std::string_view bytes) {
    return !Decode(bytes, &decoded) || decoded.empty() || visit(row_key, decoded);
  });
}

void Transaction::ScanShown(std::string_view prefix, std::string_view from, const ShownVisitor& visit) {
  Row decoded;
  const auto visit_row = [&](std::string_view row_key, const Row& row) {
    return !row.HasValue() || visit(row_key, {std::nullopt, &row});
  };
  Walk(prefix, from, visit_row, [&](std::string_view row_key, std::string_view bytes) {
    if (const auto value = causality::SoleValue(bytes)) return visit(row_key, {value, nullptr});
    return !Decode(bytes, &decoded) || visit_row(row_key, decoded);
  });
}

std::optional<std::string> Transaction::GetDerived(Table table, std::string_view key) {
  auto bytes = store_.Get(table, WithSlot(context_.slot, key));
  if (bytes.ok()) return *bytes;
  status_ = bytes.status();
  return std::nullopt;
}

std::unique_ptr<Cursor> Transaction::ScanDerived(Table table, std::string_view prefix,
                                                 std::string_view from) {
  const std::string start = from.empty() ? std::string() : WithSlot(context_.slot, from);
  return store_.Scan(table, WithSlot(context_.slot, prefix), start);
}

void Transaction::AddValue(std::string_view row_key, std::string payload, causality::VersionVector past) {
  Cell cell{CellKind::kValue, context_.dot,       context_.dot.counter,
            context_.hlc,     std::move(payload), std::move(past)};
  AddCell(row_key, std::move(cell));
}

void Transaction::AddExpiry(std::string_view row_key, std::string payload) {
  AddCell(row_key,
          {CellKind::kExpiry, context_.dot, context_.dot.counter, context_.hlc, std::move(payload), {}});
}

// The one to be continued, if any.
const Cell* Transaction::LatestOwnIncrement(const Row& row) const {
  const Cell* latest = nullptr;
  for (const Cell& own : row.cells) {
    if (own.kind == CellKind::kIncrement && own.dot.actor == context_.dot.actor &&
        own.birth > context_.birth_floor && (latest == nullptr || own.birth > latest->birth)) {
      latest = &own;
    }
  }
  return latest;
}

void Transaction::FoldIncrements(std::string_view row_key, const Add& add) {
  const Row& row = Load(row_key).row();
  const Cell* latest = LatestOwnIncrement(row);
  const auto may_be_folded = [&](const Cell& cell) {
    const bool mine =
        cell.dot.actor.node == context_.dot.actor.node || ORRERY_MUTATION("increments-of-others-folded");
    return cell.kind == CellKind::kIncrement && mine && &cell != latest;
  };
  if (context_.folding == nullptr || latest == nullptr) return;
  if (std::none_of(row.cells.begin(), row.cells.end(), may_be_folded)) return;
  const FoldRule::Foldable foldable = context_.folding->FoldableIn(context_.slot);
  if (latest->birth > foldable.births_everywhere) return;
  std::vector<CellId> folded;
  Cell sum = *latest;
  for (const Cell& cell : row.cells) {
    if (!may_be_folded(cell)) continue;
    const bool ended = cell.dot.actor != context_.dot.actor;
    if (ended && !(foldable.closed_lives && context_.clock->IsClosed(cell.dot.actor)) &&
        !ORRERY_MUTATION("increments-of-open-lives-folded")) {
      continue;
    }
    sum.payload = add(sum.payload, cell.payload);
    folded.push_back(cell.id());
    if (ended) ORRERY_MARK("increments of a closed life folded");
    if (!ended) ORRERY_MARK("increments of an earlier birth folded");
  }
  for (const CellId& id : folded) Remove(row_key, id);
  sum.dot = context_.dot;
  sum.hlc = context_.hlc;
  if (!folded.empty()) AddCell(row_key, std::move(sum));
}

void Transaction::AddIncrement(std::string_view row_key, const Combine& combine) {
  const Row& row = Load(row_key).row();
  Cell cell{CellKind::kIncrement, context_.dot, context_.dot.counter, context_.hlc, {}, {}};
  const Cell* latest = LatestOwnIncrement(row);
  if (latest != nullptr) cell.birth = latest->birth;
  cell.payload = combine(latest != nullptr ? std::string_view(latest->payload) : std::string_view());
  AddCell(row_key, std::move(cell));
}

void Transaction::AddCell(std::string_view row_key, Cell cell) {
  Touched& touched = Load(row_key);
  ORRERY_CHECK(!touched.attached);
  has_changes_ = true;
  NoteCollection(row_key);
  std::erase_if(touched.added, [&](const Cell& own) { return own.id() == cell.id(); });
  touched.Modify().Upsert(cell);
  touched.added.push_back(std::move(cell));
}

void Transaction::Remove(std::string_view row_key, const CellId& id) {
  Touched& touched = Load(row_key);
  ORRERY_CHECK(!touched.attached);
  if (!touched.Modify().Erase(id)) return;
  std::erase_if(touched.added, [&](const Cell& own) { return own.id() == id; });
  // A cell that this very event started was never anybody's to remove.
  if (id.dot == context_.dot) return;
  touched.removed.push_back(id);
  has_changes_ = true;
}

void Transaction::Clear(std::string_view row_key) {
  Touched& touched = Load(row_key);
  ORRERY_CHECK(!touched.attached);
  for (const Cell& cell : touched.row().cells) {
    if (cell.id().dot != context_.dot) touched.removed.push_back(cell.id());
  }
  has_changes_ = has_changes_ || !touched.removed.empty();
  touched.added.clear();
  touched.now.cells.clear();
  touched.differs = true;
}

void Transaction::RemoveScope(std::string_view prefix) {
  for (auto it = touched_.lower_bound(prefix); it != touched_.end() && it->first.starts_with(prefix); ++it) {
    if (it->second.attached) continue;
    it->second.Modify().cells.clear();
    it->second.removed.clear();
    it->second.added.clear();
    it->second.stood = false;
  }
  scopes_.push_back({std::string(prefix), *context_.clock});
}

bool Transaction::IsRemoved(std::string_view row_key) const {
  return std::any_of(scopes_.begin(), scopes_.end(),
                     [&](const causality::ScopeRemoval& scope) { return row_key.starts_with(scope.prefix); });
}

void Transaction::NoteCollection(std::string_view row_key) {
  if (!MayHaveCollections()) own_collections_ = IsCollectionRow(row_key);
}

void Transaction::Attach(std::string row_key, Row row) {
  NoteCollection(row_key);
  Touched touched;
  touched.before.row = std::move(row);
  touched.attached = true;
  touched_.insert_or_assign(std::move(row_key), std::move(touched));
}

causality::Event Transaction::TakeEvent(std::vector<RowUpdate>* rows) {
  causality::Event event;
  event.slot = context_.slot;
  event.dot = context_.dot;
  event.hlc = context_.hlc;
  event.scopes = std::move(scopes_);
  while (!touched_.empty()) {
    auto node = touched_.extract(touched_.begin());
    Touched& touched = node.mapped();
    if (!touched.changed()) continue;
    event.changes.push_back({std::move(node.key()), std::move(touched.removed), std::move(touched.added)});
    if (rows != nullptr) rows->push_back({std::move(touched.before), std::move(touched.now)});
  }
  has_changes_ = false;
  return event;
}

}  // namespace orrery::storage

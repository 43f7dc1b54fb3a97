#include "orrery/types/expiry.h"

#include <string>
#include <vector>

#include "orrery/base/numbers.h"
#include "orrery/storage/row_key.h"
#include "orrery/types/key_summary.h"

namespace orrery::types {

using causality::Cell;
using causality::CellId;
using causality::CellKind;
using causality::Row;

std::optional<uint64_t> DeadlineOf(const Row& row) {
  const Cell* governing = nullptr;
  for (const Cell& cell : row.cells) {
    if (cell.kind == CellKind::kExpiry && (governing == nullptr || IsNewer(cell, *governing)))
      governing = &cell;
  }
  if (governing == nullptr) return std::nullopt;
  for (const Cell& cell : row.cells) {
    if (cell.kind == CellKind::kValue && cell.hlc > governing->hlc) return std::nullopt;
  }
  const std::optional<int64_t> deadline = ParseInteger(governing->payload);
  if (!deadline || *deadline < 0) return std::nullopt;
  return static_cast<uint64_t>(*deadline);
}

bool IsExpired(const Row& row, uint64_t now_ms) {
  const std::optional<uint64_t> deadline = DeadlineOf(row);
  return deadline && *deadline <= now_ms;
}

void RemoveDeadline(storage::Transaction* transaction, std::string_view row_key) {
  std::vector<CellId> ids;
  for (const Cell& cell : transaction->Get(row_key).cells) {
    if (cell.kind == CellKind::kExpiry) ids.push_back(cell.id());
  }
  for (const CellId& id : ids) transaction->Remove(row_key, id);
}

void AddDeadline(storage::Transaction* transaction, std::string_view row_key, uint64_t deadline_ms) {
  std::string text;
  AppendInteger(static_cast<int64_t>(deadline_ms), &text);
  transaction->AddExpiry(row_key, std::move(text));
}

void SetDeadline(storage::Transaction* transaction, std::string_view row_key, uint64_t deadline_ms) {
  RemoveDeadline(transaction, row_key);
  AddDeadline(transaction, row_key, deadline_ms);
}

namespace {

// A head row's end is that of all collections of the key; a string has its own.
void Purge(storage::Transaction* transaction, const std::string& row_key) {
  const auto parts = storage::SplitRowKey(row_key);
  if (parts && parts->tag == storage::RowTag::kHead) {
    const auto bytes = transaction->GetDerived(storage::Table::kIndex, parts->key_prefix);
    const auto summary = KeySummary::Decode(bytes.value_or(std::string(1, '\0')));
    if (!summary.ok()) return transaction->Fail(summary.status());
    if (summary->elements() > 0) transaction->NoteEndedKey();
    for (const storage::RowTag tag : storage::kRowTags) {
      if (summary->of(tag).rows == 0) continue;
      std::string prefix(parts->key_prefix);
      prefix.push_back(static_cast<char>(tag));
      transaction->RemoveScope(prefix);
    }
  }
  if (transaction->Get(row_key).HasValue()) transaction->NoteEndedKey();
  transaction->Clear(row_key);
}

}  // namespace

size_t PurgeExpired(storage::Transaction* transaction, size_t rows_max) {
  // The index leads to rows that were due when it was written; the row itself decides.
  std::vector<std::string> due;
  auto cursor = transaction->ScanDerived(storage::Table::kExpiry, "", "");
  for (; cursor->Valid() && due.size() < rows_max; cursor->Next()) {
    const auto entry = storage::ParseExpiryKey(cursor->key());
    if (!entry || entry->deadline_ms > transaction->now_ms()) break;
    due.emplace_back(entry->row_key);
  }
  cursor.reset();
  size_t purged = 0;
  for (const std::string& row_key : due) {
    if (!IsExpired(transaction->Get(row_key), transaction->now_ms())) continue;
    Purge(transaction, row_key);
    ++purged;
  }
  return purged;
}

}  // namespace orrery::types

#include "orrery/types/expiry.h"

#include <string>
#include <vector>

#include "orrery/base/numbers.h"
#include "orrery/storage/row_key.h"

namespace orrery::types {

using causality::Cell;
using causality::CellId;
using causality::CellKind;
using causality::Row;

namespace {

constexpr size_t kDeadlineBytes = 8;

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (char c : bytes) value = (value << 8) | static_cast<uint8_t>(c);
  return value;
}

}  // namespace

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

size_t PurgeExpired(storage::Transaction* transaction, size_t rows_max) {
  // The index leads to rows that were due when it was written; the row itself decides.
  std::vector<std::string> due;
  auto cursor = transaction->ScanDerived(storage::Table::kExpiry, "", "");
  const size_t slot_bytes = storage::SlotPrefix(transaction->context().slot).size();
  for (; cursor->Valid() && due.size() < rows_max; cursor->Next()) {
    const std::string_view entry = cursor->key().substr(slot_bytes);
    if (entry.size() < kDeadlineBytes || BigEndian(entry.substr(0, kDeadlineBytes)) > transaction->now_ms())
      break;
    due.emplace_back(entry.substr(kDeadlineBytes));
  }
  cursor.reset();
  size_t purged = 0;
  for (const std::string& row_key : due) {
    if (!IsExpired(transaction->Get(row_key), transaction->now_ms())) continue;
    transaction->Clear(row_key);
    ++purged;
  }
  return purged;
}

}  // namespace orrery::types

#include "orrery/types/key_view.h"

#include <algorithm>

#include "orrery/storage/row_key.h"
#include "orrery/types/expiry.h"

namespace orrery::types {

using causality::Cell;
using causality::CellKind;
using causality::Row;

std::string_view TypeName(KeyType type) {
  return type == KeyType::kString ? "string" : "none";
}

bool HasValue(const Row& row) {
  return std::any_of(row.cells.begin(), row.cells.end(),
                     [](const Cell& cell) { return cell.kind != CellKind::kExpiry; });
}

KeyType TypeOfRow(const Row& row, uint64_t now_ms) {
  return HasValue(row) && !IsExpired(row, now_ms) ? KeyType::kString : KeyType::kNone;
}

KeyView::KeyView(storage::Transaction* transaction, uint8_t db, std::string_view key)
    : transaction_(transaction), row_key_(storage::EncodeRowKey({db, key, storage::RowTag::kString, {}})) {}

const Row& KeyView::row() const {
  if (row_ == nullptr) row_ = &transaction_->Get(row_key_);
  return *row_;
}

std::optional<uint64_t> KeyView::deadline() const {
  return exists() ? DeadlineOf(row()) : std::nullopt;
}

size_t KeyView::StoredBytes() const {
  return row_key_.size() + causality::EncodeRow(row()).size();
}

void KeyView::Remove() {
  transaction_->Clear(row_key_);
  Changed();
}

void KeyView::ExpireAt(uint64_t deadline_ms) {
  SetDeadline(transaction_, row_key_, deadline_ms);
  Changed();
}

void KeyView::Persist() {
  RemoveDeadline(transaction_, row_key_);
  Changed();
}

void KeyView::PrepareWrite() {
  if (IsExpired(row(), transaction_->now_ms())) Remove();
}

}  // namespace orrery::types

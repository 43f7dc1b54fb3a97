#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "orrery/causality/row.h"
#include "orrery/storage/transaction.h"

namespace orrery::types {

/// What a key visibly holds.
enum class KeyType : uint8_t { kNone, kString };

/// As TYPE prints it.
std::string_view TypeName(KeyType type);

/// Whether the row shows a value, were it not expired. A row with nothing but an Expiry cell does not.
bool HasValue(const causality::Row& row);
/// What the row shows at that instant.
KeyType TypeOfRow(const causality::Row& row, uint64_t now_ms);

/// A key of whatever type, inside one command's transaction: whether it is there, when it ends, and how it
/// goes. Reads judge expiry by the transaction's instant. A string is one row, so all that is known of the
/// key is in it; a type of many rows adds its head row here. Lives on a command's stack; the transaction must
/// outlive it.
class KeyView {
 public:
  KeyView(storage::Transaction* transaction, uint8_t db, std::string_view key);

  KeyType type() const { return TypeOfRow(row(), transaction_->now_ms()); }
  bool exists() const { return type() != KeyType::kNone; }
  /// When it ends; nullopt if it does not, or is absent.
  std::optional<uint64_t> deadline() const;
  /// Bytes of its rows and their keys, before compression.
  size_t StoredBytes() const;

  /// Removes every cell that this coordinator sees, expired ones included.
  void Remove();
  /// REQUIRES: exists().
  void ExpireAt(uint64_t deadline_ms);
  void Persist();

 protected:
  storage::Transaction& transaction() const { return *transaction_; }
  const std::string& row_key() const { return row_key_; }
  const causality::Row& row() const;
  /// After every change of the row.
  void Changed() { row_ = nullptr; }
  /// Before a write that keeps what is there: an expired row's cells go in the same event.
  void PrepareWrite();

 private:
  storage::Transaction* transaction_;
  std::string row_key_;
  mutable const causality::Row* row_ = nullptr;
};

}  // namespace orrery::types

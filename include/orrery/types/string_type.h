#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/causality/version_vector.h"
#include "orrery/storage/transaction.h"

namespace orrery::types {

/// What becomes of a key's end when its value is written.
struct Lifetime {
  enum class Kind : uint8_t { kForever, kKeep, kUntil };
  Kind kind = Kind::kForever;
  uint64_t deadline_ms = 0;

  static Lifetime Forever() { return {}; }
  static Lifetime Keep() { return {Kind::kKeep, 0}; }
  static Lifetime Until(uint64_t deadline_ms) { return {Kind::kUntil, deadline_ms}; }
};

/// A string key as a row of cells, inside one command's transaction: what plain commands see of it, and how they write.
/// A value is the newest Value cell; an integer grows by the Increment cells beside it. Reads judge expiry by the
/// transaction's instant; writes to an expired row remove its cells in the same event. Lives on a command's stack.
class StringKey {
 public:
  StringKey(storage::Transaction* transaction, uint8_t db, std::string_view key);

  bool exists() const;
  /// What GET shows. REQUIRES: exists().
  std::string Value() const;
  /// Length of Value() without building it where possible.
  size_t Length() const;
  /// The visible value as an integer; 0 if absent, nullopt if it is none.
  std::optional<int64_t> AsInteger() const;
  std::optional<uint64_t> deadline() const;
  bool IsCounter() const;

  /// Replaces all that this coordinator sees.
  void Set(std::string_view value, const Lifetime& lifetime);
  /// REQUIRES: AsInteger() and no overflow.
  void Increment(int64_t delta);
  void Remove();
  void ExpireAt(uint64_t deadline_ms);
  void Persist();

  /// The Dynamo side: every sibling, newest first, the newest with the increments.
  std::vector<std::string> Siblings() const;
  /// Dots of all live cells and what their writers had seen: DGET's context.
  causality::VersionVector Clock() const;
  /// Replaces what the context covers and nothing else. The context of what was written.
  causality::VersionVector Put(std::string_view value, const causality::VersionVector& context,
                               std::optional<uint64_t> deadline_ms);
  /// Removes what the context covers. How many cells.
  size_t RemoveCovered(const causality::VersionVector& context);

  const std::string& row_key() const { return row_key_; }

 private:
  const causality::Row& row() const { return transaction_->Get(row_key_); }
  void DropIfExpired();
  causality::VersionVector CutToClock(const causality::VersionVector& context) const;

  storage::Transaction* transaction_;
  std::string row_key_;
};

/// Whether the row shows a value, were it not expired.
bool HasValue(const causality::Row& row);

}  // namespace orrery::types

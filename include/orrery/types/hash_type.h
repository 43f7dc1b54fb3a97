#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "orrery/types/collection_key.h"

namespace orrery::types {

/// A hash key, inside one command's transaction: each field is a row like a string key's (docs/data-types.md). A field's
/// value is its newest Value cell; an integer grows by the Increment cells beside it, so that increments on both sides
/// of a cut add up.
class HashKey : public CollectionKey {
 public:
  HashKey(storage::Transaction* transaction, uint8_t db, std::string_view key)
      : CollectionKey(transaction, db, key, KeyType::kHash) {}

  /// What HGET shows; nullopt if the field is absent.
  std::optional<std::string> Get(std::string_view field) const;
  /// As an integer: 0 if absent. False if it is none.
  bool GetInteger(std::string_view field, int64_t* value) const;
  /// True if the field is new.
  bool Set(std::string_view field, std::string_view value) { return Put(field, std::string(value)); }
  /// REQUIRES: GetInteger() and no overflow.
  void Increment(std::string_view field, int64_t delta);

  /// Calls visit for each field and what it shows, until it returns false.
  using FieldVisitor = std::function<bool(std::string_view field, std::string_view value)>;
  void VisitFields(const FieldVisitor& visit) const;
};

}  // namespace orrery::types

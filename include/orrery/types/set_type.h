#pragma once

#include <string_view>

#include "orrery/types/collection_key.h"

namespace orrery::types {

/// A set key, inside one command's transaction: each member is a row with an empty value
/// (docs/data-types.md). A member that one side of a cut adds while the other removes it stays: the removal
/// takes the additions that it saw.
class SetKey : public CollectionKey {
 public:
  SetKey(storage::Transaction* transaction, uint8_t db, std::string_view key)
      : CollectionKey(transaction, db, key, KeyType::kSet) {}

  /// True if the member is new. One that is there is written again: whoever removes it meanwhile has not seen
  /// that.
  bool Insert(std::string_view member) { return Put(member, {}); }
};

}  // namespace orrery::types

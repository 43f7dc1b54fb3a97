#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/storage/transaction.h"
#include "orrery/types/counted_index.h"

namespace orrery::types {

/// The positions of a list as one command sees them, until that changes the key: those of its counted index,
/// which shows what stood before the command, less those that the command removed, and with those that it
/// made or brought along. Lives on a command's stack.
///
/// n: positions in the list, m: rows of the list that the command has touched. Making one costs O(m), every
/// call O(log m log n).
class ListOrder {
 public:
  /// prefix: of the list's element rows.
  ListOrder(storage::Transaction* transaction, const std::string& prefix);

  /// Positions before this one.
  uint64_t CountBefore(std::string_view position);
  /// The position of that rank, from 0; nullopt beyond the end.
  std::optional<std::string> At(uint64_t rank);
  uint64_t Count();

 private:
  uint64_t BaseBefore(std::string_view position);
  std::optional<std::string> BaseAt(uint64_t rank);

  bool has_base_;
  CountedIndexReader index_;
  /// In their order; of the transaction's own row keys.
  std::vector<std::string_view> made_;
  std::vector<std::string_view> removed_;
};

}  // namespace orrery::types

#pragma once

#include <string>

#include "orrery/storage/row_store.h"

namespace orrery::storage {

/// Keys of one table of which nothing is known any more: a table file that had some of them could not be read
/// and was taken out of the database. What a read shows in between may be absent although it was written, or
/// older than what was.
struct LostRange {
  Table table = Table::kRows;
  std::string first;
  std::string last;  ///< belongs to the range
  bool operator==(const LostRange&) const = default;
};

}  // namespace orrery::storage

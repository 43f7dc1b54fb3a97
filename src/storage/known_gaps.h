#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "orrery/storage/row_store.h"

namespace orrery::storage {

/// Ranges of keys in which nothing is committed, although RocksDB still keeps deleted entries there: until
/// they are compacted away each walk would pass them one by one. The first walk does and notes the gap; later
/// ones go on behind it. So a walk over what is left of a set that was popped, or of a queue, costs what is
/// left, however much was deleted.
///
/// A gap stays exact as its owner tells what it commits: a put cuts a gap in two, a deletion between two gaps
/// joins them. Only of keys that begin with a slot, within one slot, and only of slots that the owner alone
/// writes. Bounded: beyond kGapsMax gaps all are forgotten and learned anew. One thread.
class KnownGaps {
 public:
  static constexpr size_t kGapsMax = 32 * 1024;
  /// So many deleted entries cost as much as the seek that passes them.
  static constexpr uint64_t kWorthNoting = 32;

  /// Whether gaps of that table are kept.
  static bool Covers(Table table) {
    return table == Table::kRows || table == Table::kExpiry || table == Table::kIndex;
  }

  /// Whether a walk below the prefix stays in one slot. Others may walk over what other shards write.
  static bool IsOfOneSlot(std::string_view prefix) { return prefix.size() >= kSlotBytes; }

  /// Nothing is committed from `from` on and before `to` (empty: the end of the table). Does nothing where
  /// they are not of one slot. REQUIRES: Covers(table).
  void Note(Table table, std::string_view from, std::string_view to);
  /// Where the gap ends in which the key lies; nullptr: in none. Lives until the next change.
  const std::string* EndOf(Table table, std::string_view key) const;

  void OnPut(Table table, std::string_view key);
  void OnDelete(Table table, std::string_view key);
  void Clear();

  bool empty() const { return count_ == 0; }
  size_t size() const { return count_; }

 private:
  static constexpr size_t kSlotBytes = 2;

  /// Of one slot of one table: from where to where; disjoint, and none ends where another begins.
  using Gaps = std::map<std::string, std::string, std::less<>>;

  /// nullptr: there are none.
  const Gaps* Find(Table table, std::string_view key) const;
  Gaps* Find(Table table, std::string_view key) {
    return const_cast<Gaps*>(std::as_const(*this).Find(table, key));
  }

  std::unordered_map<uint32_t, Gaps> slots_;
  size_t count_ = 0;
};

}  // namespace orrery::storage

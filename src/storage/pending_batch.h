#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "orrery/base/hash.h"
#include "orrery/storage/row_store.h"
#include "storage/hash_index.h"

namespace orrery::storage {

/// The hash by which batches and caches find a row.
inline uint64_t HashRow(Table table, std::string_view key) {
  return Hash64(key, static_cast<uint64_t>(table));
}

/// First string after all strings that start with prefix; "" if there is none.
std::string PrefixEnd(std::string_view prefix);

/// What one turn of the loop wrote and has not committed. Only the last change of a key is kept. Point
/// lookups cost one hash lookup; the order of keys is kept only from the first DeletePrefix or walk of a
/// table on, until Clear.
///
/// Meaning: first every key under a deleted prefix goes, then the changes apply. A DeletePrefix therefore
/// turns the changes that it meets into deletions.
///
/// Owned by one store, on its thread. Steady use allocates nothing: entries are recycled.
class PendingBatch {
 public:
  struct Change {
    std::string key;
    std::string value;
    uint64_t hash = 0;
    Table table = Table::kRows;
    bool deleted = false;
  };
  /// Key -> id of its change, for change().
  using Ordered = std::map<std::string_view, uint32_t>;
  /// Sorted, and none starts with another.
  using Prefixes = std::set<std::string, std::less<>>;

  /// hash: HashRow(table, key).
  void Put(Table table, std::string_view key, uint64_t hash, std::string_view value);
  /// As Put; a large value is taken over as it is.
  void PutOwned(Table table, std::string_view key, uint64_t hash, std::string value);
  void Delete(Table table, std::string_view key, uint64_t hash);
  void DeletePrefix(Table table, std::string_view prefix);
  void Clear();

  /// At least as much as the values that were put, of which some may be gone.
  size_t value_bytes() const { return value_bytes_; }
  bool empty() const { return used_ == 0 && prefix_count_ == 0; }
  /// Whether the batch says anything about the table.
  bool Touches(Table table) const { return !Of(table).prefixes.empty() || Of(table).changes > 0; }

  /// The last change of the key, or null. A null says nothing about deleted prefixes.
  const Change* Find(Table table, std::string_view key, uint64_t hash) const;
  bool InDeletedPrefix(Table table, std::string_view key) const;

  const Prefixes& deleted_prefixes(Table table) const { return Of(table).prefixes; }
  /// The table's changes in key order. The reference and its iterators live until Clear.
  const Ordered& InOrder(Table table) const;
  const Change& change(uint32_t id) const { return entries_[id]; }

  /// Calls visit(const Change&) for each changed key, in the order of the first change.
  template <typename Visit>
  void ForEachChange(const Visit& visit) const {
    for (size_t i = 0; i < used_; ++i) visit(entries_[i]);
  }

 private:
  struct PerTable {
    size_t changes = 0;
    Prefixes prefixes;
    bool is_ordered = false;
    Ordered order;  // complete if is_ordered
  };

  PerTable& Of(Table table) { return tables_[static_cast<size_t>(table)]; }
  const PerTable& Of(Table table) const { return tables_[static_cast<size_t>(table)]; }
  Change& Obtain(Table table, std::string_view key, uint64_t hash);

  std::deque<Change> entries_;  // the first used_ are live; a deque, so that views of them survive growth
  size_t used_ = 0;
  size_t value_bytes_ = 0;
  HashIndex index_;
  mutable std::array<PerTable, kTableCount> tables_;  // mutable: the order is made when it is first asked for
  size_t prefix_count_ = 0;
};

}  // namespace orrery::storage

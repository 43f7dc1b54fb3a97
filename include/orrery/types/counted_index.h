#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/base/status.h"
#include "orrery/storage/row_store.h"
#include "orrery/storage/transaction.h"

namespace orrery::types {

/// An ordered set of byte strings that knows ranks: for ZRANK, ZRANGE and LINDEX, whose elements stand in no
/// order, or in one that nobody has counted, among the rows. One for each key and type that wants it, in
/// Table::kIndex.
///
/// It is a B+ tree with counts (each inner entry knows how many keys are below it; Knuth, "The Art of
/// Computer Programming", vol. 3, section 6.2.4, and the order statistics of section 6.2.3). A node is one
/// entry of the table and holds at most kIndexNodeEntriesMax keys, so with n keys the tree has about
/// log_32(n) levels. Node boundaries depend on the order of changes: the set is a pure function of rows, its
/// nodes are not, and they are never compared or sent.
///
///     at the prefix itself            the root
///     prefix | level (1) | separator  any other node: it has the keys from its separator up to the next
///     one's;
///                                     level 0 holds keys. The first separator of each level is empty.
///     a node                          level (1), then entries: length (varint), key, and above level 0 a
///     count (8)
///
/// n: keys of the set; costs in node reads and writes.
inline constexpr size_t kIndexNodeEntriesMax = 64;

/// Places in an order, from 0: begin is in it, end is not.
struct RankRange {
  uint64_t begin = 0;
  uint64_t end = 0;

  uint64_t size() const { return end > begin ? end - begin : 0; }
};
/// From first to last, both in it, counted from the end if negative, as in ZRANGE and LRANGE; empty where
/// there is nothing.
RankRange RangeOfRanks(int64_t first, int64_t last, uint64_t count);

/// Changes the set; for DerivedIndex. Lives on the stack. The prefix begins with the slot; the store must
/// outlive it. kCorruption: a node does not decode.
class CountedIndexWriter {
 public:
  CountedIndexWriter(storage::RowStore* store, std::string prefix)
      : store_(*store), prefix_(std::move(prefix)) {}

  /// Nothing changes if the key is there. O(log n).
  [[nodiscard]] Status Insert(std::string_view key);
  /// Nothing changes if it is not. O(log n).
  [[nodiscard]] Status Erase(std::string_view key);

 private:
  struct Step;
  using Path = std::vector<Step>;

  Status Descend(std::string_view key, Path* path);
  Result<std::optional<std::string>> Read(std::string_view name) const;
  void Write(const Step& step);
  void SplitUp(Path* path);
  Status MergeUp(Path* path);
  Result<bool> MergeWithSibling(Step* parent, Step* child);
  Status ShrinkRoot(Step* root);

  storage::RowStore& store_;
  const std::string prefix_;
};

/// Reads the set as it stood before a command; what the command itself changed does not show. Lives on a
/// command's stack; a node that does not decode fails the transaction and reads as empty.
class CountedIndexReader {
 public:
  /// prefix: without the slot, as the transaction's row keys.
  CountedIndexReader(storage::Transaction* transaction, std::string prefix)
      : transaction_(*transaction), prefix_(std::move(prefix)) {}

  /// Keys in the set. One node.
  uint64_t Count();
  /// Keys less than this one, which need not be there: the rank of one that is. O(log n).
  uint64_t CountBefore(std::string_view key);
  /// The key of that rank, counted from 0; nullopt beyond the end. O(log n).
  std::optional<std::string> At(uint64_t rank);

  /// Visits keys upwards from the rank on, or downwards from it, until visit returns false. O(log n) for
  /// every few dozen keys.
  using Visitor = std::function<bool(std::string_view key)>;
  void Ascend(uint64_t from_rank, const Visitor& visit);
  void Descend(uint64_t from_rank, const Visitor& visit);

 private:
  struct Leaf;
  bool ReadLeaf(uint64_t rank, Leaf* leaf);
  std::optional<std::string> Read(std::string_view name);

  storage::Transaction& transaction_;
  const std::string prefix_;
};

}  // namespace orrery::types

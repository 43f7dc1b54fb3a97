#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/types/collection_key.h"
#include "orrery/types/counted_index.h"

namespace orrery::types {

/// A list, inside one command's transaction: each element is a row whose place in the key says where it
/// stands (list_position.h, docs/data-types.md). Its positions are counted (CountedIndex), so that an index
/// costs O(log n), pushes and pops at the ends as much, and a range that and its length. All of it shows the
/// command's own changes, and keys of other slots that were brought along.
///
/// n: elements of the list.
class ListKey : public CollectionKey {
 public:
  enum class End : uint8_t { kHead, kTail };

  ListKey(storage::Transaction* transaction, uint8_t db, std::string_view key)
      : CollectionKey(transaction, db, key, KeyType::kList) {}

  /// Puts the values at that end, one after the other.
  void Push(End end, std::span<const std::string_view> values);
  /// Removes the elements at that end, at most count, and returns them, the outermost first.
  std::vector<std::string> Pop(End end, uint64_t count);
  /// Takes the element at one end of this list to an end of another, which may be the same; nullopt if there
  /// is none.
  std::optional<std::string> Move(End from, ListKey* target, End to);

  /// Where the outermost element stands, as Find() takes it; nullopt if there is none.
  std::optional<std::string> Outermost(End end) const { return PositionOf(IndexOf(end)); }
  /// At() of the outermost element.
  static int64_t IndexOf(End end) { return end == End::kHead ? 0 : -1; }
  /// The index counts from 0, or, if negative, from the end.
  std::optional<std::string> At(int64_t index) const;
  /// False: there is no such element.
  bool Set(int64_t index, std::string_view value);
  /// Puts a value before or behind the first element that equals pivot. False: there is none. O(n).
  bool Insert(std::string_view pivot, bool behind, std::string_view value);
  /// Removes elements that equal value: the first `count`, the last if negative, all if 0. How many. O(n).
  uint64_t RemoveEqual(std::string_view value, int64_t count);
  /// Removes what is not in the range. O(log n) for each that it removes.
  void Trim(const RankRange& kept);

  RankRange Range(int64_t first, int64_t last) const { return RangeOfRanks(first, last, Count()); }
  /// Calls visit for those elements, upwards or (reverse) downwards, until it returns false. visit must not
  /// change the key.
  using ValueVisitor = std::function<bool(uint64_t rank, std::string_view value)>;
  void VisitRange(const RankRange& range, bool reverse, const ValueVisitor& visit) const;

 private:
  using PlaceVisitor = std::function<bool(uint64_t rank, std::string_view position, std::string_view value)>;
  void VisitPlaces(const RankRange& range, bool reverse, const PlaceVisitor& visit) const;
  bool VisitUpwards(const RankRange& range, const PlaceVisitor& visit) const;
  std::optional<std::string> PositionOf(int64_t index) const;
  std::string ValueAt(std::string_view position) const;
  /// The position that the value got; nullopt if a neighbour's was none.
  std::optional<std::string> PutBetween(std::optional<std::string_view> before,
                                        std::optional<std::string_view> behind, std::string_view value);
  void EraseAll(const std::vector<std::string>& positions);
};

}  // namespace orrery::types

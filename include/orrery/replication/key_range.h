#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace orrery::replication {

/// Row keys from `begin` on up to `end`, which is outside; an empty `end` is the end of the slot. Bounds need
/// not be row keys themselves.
struct KeyRange {
  std::string begin;
  std::string end;

  bool Contains(std::string_view key) const { return key >= begin && IsBefore(key); }
  /// Whether the key is less than the range's end.
  bool IsBefore(std::string_view key) const { return end.empty() || key < end; }
  bool Meets(const KeyRange& other) const { return other.IsBefore(begin) && IsBefore(other.begin); }
  /// REQUIRES: Meets(other).
  KeyRange Cut(const KeyRange& other) const;
  bool operator==(const KeyRange&) const = default;

  /// All keys with the prefix; of the empty prefix, the slot.
  static KeyRange Under(std::string_view prefix);
  /// One key alone.
  static KeyRange Of(std::string_view key) { return {std::string(key), std::string(key) + '\0'}; }
};

/// The shortest bound between two neighbours: greater than `last`, not greater than `next`. REQUIRES: last <
/// next.
std::string KeyBetween(std::string_view last, std::string_view next);

/// A set of row keys, made of ranges. Value type.
class KeyRangeSet {
 public:
  /// REQUIRES: the range meets none that is in it.
  void Add(KeyRange range);
  bool Contains(std::string_view key) const;
  /// Removes the keys of the range, and says which of them were in it, ascending.
  std::vector<KeyRange> Take(const KeyRange& range);
  /// Ascending, not touching each other.
  std::vector<KeyRange> ranges() const;
  size_t size() const { return ends_.size(); }

 private:
  std::map<std::string, std::string, std::less<>> ends_;  ///< by begin
};

/// What rows amount to, by which two replicas compare them without sending them. The sum of row hashes (the
/// slot's digest is that of all rows) with their number: of ranges that a row hash does not tell apart by
/// design, equal means equal.
struct RangeHash {
  uint64_t rows = 0;
  uint64_t bytes = 0;  ///< keys and values
  uint64_t hash = 0;

  void Add(std::string_view row_key, std::string_view row);
  bool operator==(const RangeHash&) const = default;
};

}  // namespace orrery::replication

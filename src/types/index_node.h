#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "orrery/types/counted_index.h"

namespace orrery::types {

/// A node of a CountedIndex, as its bytes (counted_index.h) and where the entries begin in them. Reading one
/// costs a few instructions for each entry and no memory of its own; changes splice the bytes, so that a node
/// is neither taken apart nor built anew for one key.
class IndexNode {
 public:
  /// An empty node.
  explicit IndexNode(uint8_t level) : bytes_(1, static_cast<char>(level)) {}
  /// nullopt if the bytes are no node.
  static std::optional<IndexNode> Parse(std::string bytes);

  uint8_t level() const { return static_cast<uint8_t>(bytes_[0]); }
  bool is_leaf() const { return level() == 0; }
  const std::string& bytes() const { return bytes_; }
  size_t size() const { return size_; }
  /// A view of bytes(): it lives until the node changes or moves.
  std::string_view key(size_t position) const;
  /// Keys below the entry; 1 in a leaf.
  uint64_t count(size_t position) const;
  /// Keys below it.
  uint64_t Total() const;
  /// More than a node should hold.
  bool IsTooLarge() const;

  /// First entry that is not less than the key.
  size_t LowerBound(std::string_view key) const;
  /// REQUIRES: an inner node. The entry whose keys may include this one.
  size_t ChildFor(std::string_view key) const;

  void InsertAt(size_t position, std::string_view key, uint64_t count = 1);
  void EraseAt(size_t position);
  /// REQUIRES: an inner node.
  void SetCount(size_t position, uint64_t count);
  /// Takes the entries from the position on into a node of their own.
  IndexNode SplitAt(size_t position);
  /// REQUIRES: all of it fits.
  void Append(const IndexNode& next);

 private:
  /// One more than a node keeps, until it is split.
  static constexpr size_t kEntriesMax = kIndexNodeEntriesMax + 1;

  IndexNode() = default;
  bool FindEntries();
  size_t BeginOf(size_t position) const { return position < size_ ? begins_[position] : bytes_.size(); }
  size_t count_bytes() const { return is_leaf() ? 0 : sizeof(uint64_t); }

  std::string bytes_;
  std::array<uint32_t, kEntriesMax> begins_;  // the first size_, in bytes_
  size_t size_ = 0;
};

}  // namespace orrery::types

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orrery::types {

/// A node of a CountedIndex, as its bytes (counted_index.h) and where the entries are in them. Changes splice
/// the bytes, so that a node is neither taken apart nor built anew for one key.
class IndexNode {
 public:
  /// An empty node.
  explicit IndexNode(uint8_t level) : bytes_(1, static_cast<char>(level)) {}
  /// nullopt if the bytes are no node.
  static std::optional<IndexNode> Parse(std::string bytes);

  uint8_t level() const { return static_cast<uint8_t>(bytes_[0]); }
  bool is_leaf() const { return level() == 0; }
  const std::string& bytes() const { return bytes_; }
  size_t size() const { return entries_.size(); }
  /// A view of bytes(): it lives until the node changes or moves.
  std::string_view key(size_t position) const { return KeyOf(entries_[position]); }
  uint64_t count(size_t position) const { return entries_[position].count; }
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
  void Append(const IndexNode& next);

 private:
  struct Entry {
    size_t begin = 0;  // in bytes()
    size_t key_begin = 0;
    size_t key_size = 0;
    uint64_t count = 1;  // keys below; 1 in a leaf
  };

  IndexNode() = default;
  std::string_view KeyOf(const Entry& entry) const {
    return std::string_view(bytes_).substr(entry.key_begin, entry.key_size);
  }
  bool FindEntries();

  std::string bytes_;
  std::vector<Entry> entries_;
};

}  // namespace orrery::types

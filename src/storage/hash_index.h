#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "orrery/base/prefetch.h"

namespace orrery::storage {

/// Finds entries that stand elsewhere, by the hash of their key: open addressing with linear probing over
/// (hash, id) pairs of eight bytes, so that a lookup touches one cache line here and one at the entry. The
/// owner keeps the entries and compares keys. One thread.
class HashIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// The id whose entry has this hash and satisfies is_match(id), or kNone.
  template <typename IsMatch>
  uint32_t Find(uint64_t hash, const IsMatch& is_match) const {
    if (cells_.empty()) return kNone;
    const uint32_t tag = TagOf(hash);
    for (size_t i = HomeOf(tag);; i = Following(i)) {
      const Cell& cell = cells_[i];
      if (cell.id == kNone) return kNone;
      if (cell.tag == tag && is_match(cell.id)) return cell.id;
    }
  }

  /// Asks for the memory that Find begins with.
  void Prefetch(uint64_t hash) const {
    if (!cells_.empty()) PrefetchBytes(&cells_[HomeOf(TagOf(hash))], 1);
  }

  /// REQUIRES: the id is not in the index.
  void Insert(uint64_t hash, uint32_t id);
  /// REQUIRES: the id was inserted with this hash.
  void Erase(uint64_t hash, uint32_t id);
  /// Forgets all entries; keeps the memory, unless it is much more than what was in use.
  void Clear();

  size_t size() const { return size_; }
  size_t memory_bytes() const { return cells_.size() * sizeof(Cell); }

 private:
  struct Cell {
    uint32_t tag = 0;
    uint32_t id = kNone;
  };

  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash ^ (hash >> 32)); }
  size_t HomeOf(uint32_t tag) const { return tag & (cells_.size() - 1); }
  size_t Following(size_t i) const { return (i + 1) & (cells_.size() - 1); }
  void Place(Cell cell);
  void Grow();

  std::vector<Cell> cells_;  // a power of two of them, at most three quarters in use
  size_t size_ = 0;
};

}  // namespace orrery::storage

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "orrery/base/prefetch.h"
#include "orrery/storage/row_store.h"
#include "storage/hash_index.h"

namespace orrery::storage {

/// Recently used committed values of one shard, absent keys included, within a limit of bytes. Replacement is
/// CLOCK (Corbató, "A Paging Experiment with the Multics System"): a hit sets a bit and moves nothing, and
/// what was used only once goes first. The owner keeps it equal to the store. One thread.
class RowCache {
 public:
  /// 0 bytes: keeps nothing.
  explicit RowCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  struct Lookup {
    bool hit = false;
    std::optional<std::string_view>
        value;  ///< of a hit: nullopt if the key is absent; lives until the next change
  };
  /// hash: HashRow(table, key), here and below.
  Lookup Find(Table table, std::string_view key, uint64_t hash);

  /// Ask for the memory by which Find finds a key, and, when that has come, for what it finds. Only hints.
  void PrefetchIndex(uint64_t hash) const { index_.Prefetch(hash); }
  void PrefetchEntry(uint64_t hash) const;

  /// The committed value is now that one. Values that are large for the cache are not kept.
  void Put(Table table, std::string_view key, uint64_t hash, std::optional<std::string_view> value);
  void Erase(Table table, std::string_view key, uint64_t hash);
  /// O(1): notes when it was, and entries that are older leave when they are next looked at, or as those that
  /// nobody uses. May forget more than that: all of the slot, or, where the prefix names a key, some others.
  /// prefix: as keys of kRows begin.
  void ErasePrefix(std::string_view prefix);
  void Clear();

  /// Those that are erased and have not left yet included.
  size_t size() const { return index_.size(); }
  /// What the entries take, bookkeeping included.
  size_t bytes() const { return bytes_; }

 private:
  // A small row stands in the entry itself, so that finding it takes two neighbouring cache lines.
  struct alignas(kCacheLineBytes) Entry {
    static constexpr uint32_t kInlineBytes = 88;

    uint64_t hash = 0;
    uint64_t checked = 0;   // what was erased by prefix up to then has not taken it
    uint32_t capacity = 0;  // 0: a free entry
    uint32_t key_size = 0;
    uint32_t value_size = 0;
    Table table = Table::kRows;
    bool absent = false;
    bool recently_used = false;
    std::unique_ptr<char[]> longer;  // null if capacity is that of the entry
    char inline_bytes[kInlineBytes];

    bool is_free() const { return capacity == 0; }
    // Key, then value.
    const char* bytes() const { return longer != nullptr ? longer.get() : inline_bytes; }
    char* bytes() { return longer != nullptr ? longer.get() : inline_bytes; }
    std::string_view key() const { return {bytes(), key_size}; }
    std::string_view value() const { return {bytes() + key_size, value_size}; }
    size_t cost() const { return CostOf(capacity); }
    static size_t CostOf(size_t capacity);
  };
  static_assert(sizeof(Entry) == 2 * kCacheLineBytes);

  bool IsErased(Entry* entry) const;
  uint32_t IndexOf(Table table, std::string_view key, uint64_t hash) const;
  uint32_t TakeFreeEntry();
  void SetValue(Entry* entry, std::optional<std::string_view> value);
  void Remove(uint32_t id);
  void MakeRoom(size_t bytes);

  const size_t bytes_max_;
  size_t bytes_ = 0;
  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;
  HashIndex index_;
  uint32_t hand_ = 0;
  // Erasures by prefix, counted; and which was the last one of all, of a slot, and of a group of keys.
  uint64_t erasures_ = 0;
  uint64_t erased_all_ = 0;
  std::vector<uint64_t> erased_slots_;
  std::vector<uint64_t> erased_groups_;
};

}  // namespace orrery::storage

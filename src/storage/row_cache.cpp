#include "storage/row_cache.h"

#include <algorithm>
#include <cstring>

#include "orrery/base/hash.h"
#include "orrery/base/slot.h"
#include "orrery/storage/row_key.h"

namespace orrery::storage {
namespace {

// Beside its bytes an entry takes an allocation's header and about two cells of the index.
constexpr size_t kOverheadBytes = 32;
// Rows of counters and clocks grow by a byte now and then: they shall not move each time.
constexpr size_t kCapacityUnit = 32;
// No single value may push out more than this part of the cache.
constexpr size_t kLargestShare = 16;
// Nor is a lookup saved what one of these costs to read.
constexpr size_t kLargestEntryBytes = size_t{1} << 20;
// A power of two. An erased key takes so small a part of the others along.
constexpr size_t kKeyGroups = 16384;

size_t CapacityFor(size_t bytes, size_t least) {
  return bytes <= least ? least : (bytes / kCapacityUnit + 1) * kCapacityUnit;
}

size_t SlotIn(std::string_view key) {
  return ((static_cast<size_t>(static_cast<uint8_t>(key[0])) << 8) | static_cast<uint8_t>(key[1])) % kSlotCount;
}

/// The group of the key that a row key, or a prefix of it, names; nullopt if it names none.
std::optional<size_t> GroupOf(std::string_view key) {
  const size_t end = KeyPrefixSize(key.substr(kSlotPrefixBytes));
  if (end == 0) return std::nullopt;
  return Hash64(key.substr(0, kSlotPrefixBytes + end)) % kKeyGroups;
}

}  // namespace

size_t RowCache::Entry::CostOf(size_t capacity) {
  return sizeof(Entry) + (capacity > kInlineBytes ? capacity : 0) + kOverheadBytes;
}

uint32_t RowCache::IndexOf(Table table, std::string_view key, uint64_t hash) const {
  return index_.Find(hash, [&](uint32_t id) {
    const Entry& entry = entries_[id];
    PrefetchBytes(&entry, sizeof(Entry));
    return entry.hash == hash && entry.table == table && entry.key() == key;
  });
}

void RowCache::PrefetchEntry(uint64_t hash) const {
  const uint32_t id = index_.Find(hash, [](uint32_t /*id*/) { return true; });
  if (id != HashIndex::kNone) PrefetchBytes(&entries_[id], sizeof(Entry));
}

RowCache::Lookup RowCache::Find(Table table, std::string_view key, uint64_t hash) {
  const uint32_t id = IndexOf(table, key, hash);
  if (id == HashIndex::kNone) return {};
  Entry& entry = entries_[id];
  if (IsErased(&entry)) {
    Remove(id);
    return {};
  }
  entry.recently_used = true;
  if (entry.absent) return {true, std::nullopt};
  return {true, entry.value()};
}

void RowCache::Put(Table table, std::string_view key, uint64_t hash, std::optional<std::string_view> value) {
  const size_t needed = key.size() + (value ? value->size() : 0);
  const uint32_t known = IndexOf(table, key, hash);
  if (known != HashIndex::kNone) {
    if (needed <= entries_[known].capacity) {
      entries_[known].checked = erasures_;
      return SetValue(&entries_[known], value);
    }
    Remove(known);
  }
  const size_t capacity = CapacityFor(needed, Entry::kInlineBytes);
  const size_t cost = Entry::CostOf(capacity);
  if (cost > std::min(bytes_max_ / kLargestShare, kLargestEntryBytes)) return;
  MakeRoom(cost);

  const uint32_t id = TakeFreeEntry();
  Entry& entry = entries_[id];
  if (capacity > Entry::kInlineBytes)
    entry.longer.reset(new char[capacity]);  // make_unique would zero it first
  entry.capacity = static_cast<uint32_t>(capacity);
  entry.key_size = static_cast<uint32_t>(key.size());
  entry.table = table;
  entry.hash = hash;
  entry.checked = erasures_;
  entry.recently_used = known != HashIndex::kNone;
  std::memcpy(entry.bytes(), key.data(), key.size());
  SetValue(&entry, value);
  bytes_ += entry.cost();
  index_.Insert(hash, id);
}

void RowCache::SetValue(Entry* entry, std::optional<std::string_view> value) {
  entry->absent = !value;
  entry->value_size = value ? static_cast<uint32_t>(value->size()) : 0;
  if (entry->value_size > 0) std::memcpy(entry->bytes() + entry->key_size, value->data(), value->size());
}

uint32_t RowCache::TakeFreeEntry() {
  if (free_.empty()) {
    entries_.emplace_back();
    return static_cast<uint32_t>(entries_.size() - 1);
  }
  const uint32_t id = free_.back();
  free_.pop_back();
  return id;
}

void RowCache::MakeRoom(size_t bytes) {
  while (bytes_ + bytes > bytes_max_) {
    if (hand_ >= entries_.size()) hand_ = 0;
    Entry& entry = entries_[hand_];
    if (entry.recently_used) {
      entry.recently_used = false;
    } else if (!entry.is_free()) {
      Remove(hand_);
    }
    ++hand_;
  }
}

void RowCache::Remove(uint32_t id) {
  Entry& entry = entries_[id];
  index_.Erase(entry.hash, id);
  bytes_ -= entry.cost();
  entry = Entry{};
  free_.push_back(id);
}

void RowCache::Erase(Table table, std::string_view key, uint64_t hash) {
  const uint32_t id = IndexOf(table, key, hash);
  if (id != HashIndex::kNone) Remove(id);
}

void RowCache::ErasePrefix(std::string_view prefix) {
  ++erasures_;
  if (prefix.size() < kSlotPrefixBytes) {
    erased_all_ = erasures_;
    return;
  }
  erased_slots_.resize(kSlotCount);
  erased_groups_.resize(kKeyGroups);
  const auto group = GroupOf(prefix);
  (group ? erased_groups_[*group] : erased_slots_[SlotIn(prefix)]) = erasures_;
}

// Whether a prefix was erased since it was put or last looked at.
bool RowCache::IsErased(Entry* entry) const {
  if (entry->checked == erasures_) return false;
  if (entry->checked < erased_all_) return true;
  const std::string_view key = entry->key();
  if (!erased_slots_.empty() && key.size() >= kSlotPrefixBytes) {
    if (entry->checked < erased_slots_[SlotIn(key)]) return true;
    const auto group = GroupOf(key);
    if (group && entry->checked < erased_groups_[*group]) return true;
  }
  entry->checked = erasures_;
  return false;
}

void RowCache::Clear() {
  entries_.clear();
  free_.clear();
  index_.Clear();
  bytes_ = 0;
  hand_ = 0;
}

}  // namespace orrery::storage

#include "storage/pending_batch.h"

#include <utility>

namespace orrery::storage {
namespace {

// What an idle batch may hold on to, so that one huge turn does not cost memory for ever.
constexpr size_t kEntriesKept = 4096;
constexpr size_t kStringBytesKept = 512;

void Recycle(std::string* s) {
  if (s->capacity() > kStringBytesKept) {
    *s = std::string();
  } else {
    s->clear();
  }
}

}  // namespace

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return end;
}

void PendingBatch::Put(Table table, std::string_view key, uint64_t hash, std::string_view value) {
  Change& change = Obtain(table, key, hash);
  change.deleted = false;
  change.value.assign(value);
  value_bytes_ += value.size();
}

void PendingBatch::PutOwned(Table table, std::string_view key, uint64_t hash, std::string value) {
  // The memory of a small one is at hand.
  if (value.size() <= kStringBytesKept) return Put(table, key, hash, value);
  Change& change = Obtain(table, key, hash);
  change.deleted = false;
  value_bytes_ += value.size();
  change.value = std::move(value);
}

void PendingBatch::Delete(Table table, std::string_view key, uint64_t hash) {
  Change& change = Obtain(table, key, hash);
  change.deleted = true;
  change.value.clear();
}

PendingBatch::Change& PendingBatch::Obtain(Table table, std::string_view key, uint64_t hash) {
  const auto is_match = [&](uint32_t id) { return entries_[id].table == table && entries_[id].key == key; };
  const uint32_t found = index_.Find(hash, is_match);
  if (found != HashIndex::kNone) return entries_[found];

  if (used_ == entries_.size()) entries_.emplace_back();
  Change& change = entries_[used_];
  change.key.assign(key);
  change.hash = hash;
  change.table = table;
  const auto id = static_cast<uint32_t>(used_++);
  index_.Insert(hash, id);
  PerTable& of = Of(table);
  ++of.changes;
  if (of.is_ordered) of.order.emplace(change.key, id);
  return change;
}

const PendingBatch::Change* PendingBatch::Find(Table table, std::string_view key, uint64_t hash) const {
  const auto is_match = [&](uint32_t id) { return entries_[id].table == table && entries_[id].key == key; };
  const uint32_t found = index_.Find(hash, is_match);
  return found == HashIndex::kNone ? nullptr : &entries_[found];
}

const PendingBatch::Ordered& PendingBatch::InOrder(Table table) const {
  PerTable& of = tables_[static_cast<size_t>(table)];
  if (!of.is_ordered) {
    for (uint32_t id = 0; id < used_; ++id) {
      if (entries_[id].table == table) of.order.emplace(entries_[id].key, id);
    }
    of.is_ordered = true;
  }
  return of.order;
}

void PendingBatch::DeletePrefix(Table table, std::string_view prefix) {
  const Ordered& order = InOrder(table);
  for (auto it = order.lower_bound(prefix); it != order.end() && it->first.starts_with(prefix); ++it) {
    entries_[it->second].deleted = true;
    entries_[it->second].value.clear();
  }
  if (InDeletedPrefix(table, prefix)) return;
  Prefixes& prefixes = Of(table).prefixes;
  auto it = prefixes.lower_bound(prefix);
  while (it != prefixes.end() && it->starts_with(prefix)) {
    it = prefixes.erase(it);
    --prefix_count_;
  }
  prefixes.emplace_hint(it, prefix);
  ++prefix_count_;
}

bool PendingBatch::InDeletedPrefix(Table table, std::string_view key) const {
  const Prefixes& prefixes = Of(table).prefixes;
  if (prefixes.empty()) return false;
  // Whatever sorts between a prefix of the key and the key starts with that prefix, and no prefix starts with
  // another: only the last one that is not after the key can match.
  const auto after = prefixes.upper_bound(key);
  return after != prefixes.begin() && key.starts_with(*std::prev(after));
}

void PendingBatch::Clear() {
  for (PerTable& of : tables_) {
    of.changes = 0;
    of.prefixes.clear();
    of.is_ordered = false;
    of.order.clear();
  }
  if (entries_.size() > kEntriesKept) {
    entries_.clear();
  } else {
    for (size_t i = 0; i < used_; ++i) {
      Recycle(&entries_[i].key);
      Recycle(&entries_[i].value);
    }
  }
  used_ = 0;
  value_bytes_ = 0;
  prefix_count_ = 0;
  index_.Clear();
}

}  // namespace orrery::storage

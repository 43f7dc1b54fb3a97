#include "storage/known_gaps.h"

#include <algorithm>
#include <utility>

#include "storage/pending_batch.h"

namespace orrery::storage {
namespace {

uint32_t GroupOf(Table table, std::string_view key) {
  return static_cast<uint32_t>(table) << 16 | static_cast<uint32_t>(static_cast<uint8_t>(key[0])) << 8 |
         static_cast<uint8_t>(key[1]);
}

// The first key behind this one.
std::string Behind(std::string_view key) {
  std::string behind(key);
  behind.push_back('\0');
  return behind;
}

}  // namespace

const KnownGaps::Gaps* KnownGaps::Find(Table table, std::string_view key) const {
  if (key.size() < kSlotBytes) return nullptr;
  const auto slot = slots_.find(GroupOf(table, key));
  return slot == slots_.end() ? nullptr : &slot->second;
}

void KnownGaps::Note(Table table, std::string_view from, std::string_view to) {
  if (from.size() < kSlotBytes) return;
  // Beyond the slot others may write.
  const std::string slot_end = PrefixEnd(from.substr(0, kSlotBytes));
  std::string begin(from);
  std::string end(to.empty() || (!slot_end.empty() && to > slot_end) ? std::string_view(slot_end) : to);
  if (end <= begin) return;
  if (count_ >= kGapsMax) Clear();
  Gaps& gaps = slots_[GroupOf(table, from)];
  auto next = gaps.lower_bound(begin);
  if (next != gaps.begin() && std::prev(next)->second >= begin) --next;
  while (next != gaps.end() && next->first <= end) {
    begin = std::min(begin, next->first);
    end = std::max(end, next->second);
    next = gaps.erase(next);
    --count_;
  }
  gaps.emplace_hint(next, std::move(begin), std::move(end));
  ++count_;
}

const std::string* KnownGaps::EndOf(Table table, std::string_view key) const {
  if (count_ == 0) return nullptr;
  const Gaps* const gaps = Find(table, key);
  if (gaps == nullptr) return nullptr;
  const auto behind = gaps->upper_bound(key);
  if (behind == gaps->begin()) return nullptr;
  const std::string& end = std::prev(behind)->second;
  return key < end ? &end : nullptr;
}

void KnownGaps::OnPut(Table table, std::string_view key) {
  if (count_ == 0) return;
  Gaps* const gaps = Find(table, key);
  if (gaps == nullptr) return;
  const auto behind = gaps->upper_bound(key);
  if (behind == gaps->begin()) return;
  const auto gap = std::prev(behind);
  if (gap->second <= key) return;
  std::string right = Behind(key);
  if (right < gap->second) {
    gaps->emplace_hint(behind, std::move(right), std::move(gap->second));
    ++count_;
  }
  gap->second = key;
  if (gap->first < key) return;
  gaps->erase(gap);
  --count_;
}

// What is deleted alone is no gap; what is deleted beside one makes it wider.
void KnownGaps::OnDelete(Table table, std::string_view key) {
  if (count_ == 0) return;
  Gaps* const gaps = Find(table, key);
  if (gaps == nullptr) return;
  const std::string behind = Behind(key);
  const auto right = gaps->find(behind);
  const auto after = gaps->upper_bound(key);
  const auto left = after == gaps->begin() ? gaps->end() : std::prev(after);
  const bool joins_left = left != gaps->end() && left->second == key;
  if (joins_left) left->second = right == gaps->end() ? behind : right->second;
  if (right == gaps->end()) return;
  std::string end = std::move(right->second);
  gaps->erase(right);
  --count_;
  if (joins_left) return;
  gaps->emplace(key, std::move(end));
  ++count_;
}

void KnownGaps::Clear() {
  slots_.clear();
  count_ = 0;
}

}  // namespace orrery::storage

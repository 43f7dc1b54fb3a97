#include "orrery/replication/key_range.h"

#include <algorithm>
#include <utility>

#include "orrery/storage/stored_row.h"

namespace orrery::replication {

KeyRange KeyRange::Cut(const KeyRange& other) const {
  const bool ends_here = other.end.empty() || (!end.empty() && end < other.end);
  return {std::max(begin, other.begin), ends_here ? end : other.end};
}

KeyRange KeyRange::Under(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) ++end.back();
  return {std::string(prefix), end};
}

std::string KeyBetween(std::string_view last, std::string_view next) {
  const auto differ = std::mismatch(last.begin(), last.end(), next.begin(), next.end());
  return std::string(next.substr(0, static_cast<size_t>(differ.second - next.begin()) + 1));
}

void KeyRangeSet::Add(KeyRange range) {
  const auto next = range.end.empty() ? ends_.end() : ends_.find(range.end);
  if (next != ends_.end()) {
    range.end = std::move(next->second);
    ends_.erase(next);
  }
  const auto after = ends_.lower_bound(range.begin);
  if (after != ends_.begin() && std::prev(after)->second == range.begin) {
    std::prev(after)->second = std::move(range.end);
  } else {
    ends_.emplace_hint(after, std::move(range.begin), std::move(range.end));
  }
}

bool KeyRangeSet::Contains(std::string_view key) const {
  const auto after = ends_.upper_bound(key);
  if (after == ends_.begin()) return false;
  const std::string& end = std::prev(after)->second;
  return end.empty() || key < end;
}

std::vector<KeyRange> KeyRangeSet::Take(const KeyRange& range) {
  std::vector<KeyRange> taken;
  auto it = ends_.upper_bound(range.begin);
  if (it != ends_.begin()) --it;
  while (it != ends_.end() && range.IsBefore(it->first)) {
    const KeyRange whole{it->first, it->second};
    if (!whole.Meets(range)) {
      ++it;
      continue;
    }
    it = ends_.erase(it);
    KeyRange cut = whole.Cut(range);
    if (whole.begin < cut.begin) ends_.emplace(whole.begin, cut.begin);
    if (cut.end != whole.end) it = ends_.emplace(cut.end, whole.end).first;
    taken.push_back(std::move(cut));
  }
  return taken;
}

std::vector<KeyRange> KeyRangeSet::ranges() const {
  std::vector<KeyRange> ranges;
  for (const auto& [begin, end] : ends_) ranges.push_back({begin, end});
  return ranges;
}

void RangeHash::Add(std::string_view row_key, std::string_view row) {
  ++rows;
  bytes += row_key.size() + row.size();
  hash += storage::RowHash(row_key, row);
}

}  // namespace orrery::replication

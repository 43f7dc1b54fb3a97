#include "types/index_node.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "orrery/base/check.h"
#include "orrery/base/codec.h"
#include "orrery/types/counted_index.h"

namespace orrery::types {
namespace {

constexpr size_t kCountBytes = 8;
// Long keys make for nodes of fewer entries.
constexpr size_t kNodeBytesMax = 8192;
constexpr size_t kEntriesMin = 4;

std::string EncodeEntry(std::string_view key, uint64_t count, bool is_leaf) {
  std::string bytes;
  Encoder out(&bytes);
  out.PutBytes(key);
  if (!is_leaf) out.PutU64(count);
  return bytes;
}

}  // namespace

std::optional<IndexNode> IndexNode::Parse(std::string bytes) {
  IndexNode node;
  node.bytes_ = std::move(bytes);
  if (node.bytes_.empty() || !node.FindEntries()) return std::nullopt;
  return node;
}

bool IndexNode::FindEntries() {
  entries_.clear();
  Decoder in(std::string_view(bytes_).substr(1));
  while (in.ok() && in.remaining() > 0) {
    Entry entry;
    entry.begin = bytes_.size() - in.remaining();
    const std::string_view key = in.GetBytes();
    if (!in.ok()) return false;
    entry.key_begin = static_cast<size_t>(key.data() - bytes_.data());
    entry.key_size = key.size();
    if (!is_leaf()) entry.count = in.GetU64();
    entries_.push_back(entry);
  }
  return in.ok();
}

uint64_t IndexNode::Total() const {
  return std::accumulate(entries_.begin(), entries_.end(), uint64_t{0},
                         [](uint64_t sum, const Entry& entry) { return sum + entry.count; });
}

bool IndexNode::IsTooLarge() const {
  return size() > kIndexNodeEntriesMax || (bytes_.size() > kNodeBytesMax && size() > kEntriesMin);
}

size_t IndexNode::LowerBound(std::string_view key) const {
  const auto it =
      std::lower_bound(entries_.begin(), entries_.end(), key,
                       [this](const Entry& entry, std::string_view wanted) { return KeyOf(entry) < wanted; });
  return static_cast<size_t>(it - entries_.begin());
}

size_t IndexNode::ChildFor(std::string_view key) const {
  const size_t at = LowerBound(key);
  const bool begins_there = at < size() && this->key(at) == key;
  return begins_there || at == 0 ? at : at - 1;
}

void IndexNode::InsertAt(size_t position, std::string_view key, uint64_t count) {
  const size_t begin = position < size() ? entries_[position].begin : bytes_.size();
  bytes_.insert(begin, EncodeEntry(key, count, is_leaf()));
  ORRERY_CHECK(FindEntries());
}

void IndexNode::EraseAt(size_t position) {
  const size_t begin = entries_[position].begin;
  const size_t end = position + 1 < size() ? entries_[position + 1].begin : bytes_.size();
  bytes_.erase(begin, end - begin);
  ORRERY_CHECK(FindEntries());
}

void IndexNode::SetCount(size_t position, uint64_t count) {
  Entry& entry = entries_[position];
  const size_t end = position + 1 < size() ? entries_[position + 1].begin : bytes_.size();
  std::string encoded;
  Encoder(&encoded).PutU64(count);
  bytes_.replace(end - kCountBytes, kCountBytes, encoded);
  entry.count = count;
}

IndexNode IndexNode::SplitAt(size_t position) {
  IndexNode right(level());
  const size_t begin = entries_[position].begin;
  right.bytes_.append(bytes_, begin);
  bytes_.resize(begin);
  ORRERY_CHECK(FindEntries() && right.FindEntries());
  return right;
}

void IndexNode::Append(const IndexNode& next) {
  bytes_.append(next.bytes_, 1);
  ORRERY_CHECK(FindEntries());
}

}  // namespace orrery::types

#include "types/index_node.h"

#include <algorithm>
#include <utility>

#include "orrery/base/check.h"
#include "orrery/base/codec.h"

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

/// Where a key stands; begin 0: its length does not decode.
struct KeyPlace {
  size_t begin = 0;
  size_t size = 0;
};

// Nearly all lengths are one byte.
KeyPlace KeyAt(std::string_view bytes, size_t entry) {
  const auto first = static_cast<uint8_t>(bytes[entry]);
  if (first < 0x80) return {entry + 1, first};
  Decoder in(bytes.substr(entry));
  const uint64_t size = in.GetVarint();
  return in.ok() ? KeyPlace{bytes.size() - in.remaining(), size} : KeyPlace();
}

}  // namespace

std::optional<IndexNode> IndexNode::Parse(std::string bytes) {
  IndexNode node;
  node.bytes_ = std::move(bytes);
  if (node.bytes_.empty() || !node.FindEntries()) return std::nullopt;
  return node;
}

bool IndexNode::FindEntries() {
  const size_t end = bytes_.size(), after_key = count_bytes();
  size_ = 0;
  for (size_t at = 1; at < end; ++size_) {
    if (size_ == kEntriesMax) return false;
    begins_[size_] = static_cast<uint32_t>(at);
    const KeyPlace key = KeyAt(bytes_, at);
    // No sum of two sizes that could pass the range: both lie in the node, or it is none.
    if (key.begin == 0 || key.size > end - key.begin || after_key > end - key.begin - key.size) return false;
    at = key.begin + key.size + after_key;
  }
  return true;
}

std::string_view IndexNode::key(size_t position) const {
  const KeyPlace key = KeyAt(bytes_, begins_[position]);
  return std::string_view(bytes_).substr(key.begin, key.size);
}

uint64_t IndexNode::count(size_t position) const {
  if (is_leaf()) return 1;
  return Decoder(std::string_view(bytes_).substr(BeginOf(position + 1) - kCountBytes, kCountBytes)).GetU64();
}

uint64_t IndexNode::Total() const {
  if (is_leaf()) return size_;
  uint64_t total = 0;
  for (size_t i = 0; i < size_; ++i) total += count(i);
  return total;
}

bool IndexNode::IsTooLarge() const {
  return size() > kIndexNodeEntriesMax || (bytes_.size() > kNodeBytesMax && size() > kEntriesMin);
}

size_t IndexNode::LowerBound(std::string_view key) const {
  size_t least = 0, end = size_;
  while (least < end) {
    const size_t middle = least + (end - least) / 2;
    if (this->key(middle) < key) {
      least = middle + 1;
    } else {
      end = middle;
    }
  }
  return least;
}

size_t IndexNode::ChildFor(std::string_view key) const {
  const size_t at = LowerBound(key);
  const bool begins_there = at < size() && this->key(at) == key;
  return begins_there || at == 0 ? at : at - 1;
}

void IndexNode::InsertAt(size_t position, std::string_view key, uint64_t count) {
  ORRERY_CHECK(size_ < kEntriesMax);
  const size_t begin = BeginOf(position);
  const std::string entry = EncodeEntry(key, count, is_leaf());
  bytes_.insert(begin, entry);
  for (size_t i = size_++; i > position; --i)
    begins_[i] = begins_[i - 1] + static_cast<uint32_t>(entry.size());
  begins_[position] = static_cast<uint32_t>(begin);
}

void IndexNode::EraseAt(size_t position) {
  const size_t begin = BeginOf(position), bytes = BeginOf(position + 1) - begin;
  bytes_.erase(begin, bytes);
  --size_;
  for (size_t i = position; i < size_; ++i) begins_[i] = begins_[i + 1] - static_cast<uint32_t>(bytes);
}

void IndexNode::SetCount(size_t position, uint64_t count) {
  std::string encoded;
  Encoder(&encoded).PutU64(count);
  bytes_.replace(BeginOf(position + 1) - kCountBytes, kCountBytes, encoded);
}

IndexNode IndexNode::SplitAt(size_t position) {
  IndexNode right(level());
  const size_t begin = BeginOf(position);
  right.bytes_.append(bytes_, begin);
  bytes_.resize(begin);
  size_ = std::min(size_, position);
  ORRERY_CHECK(right.FindEntries());
  return right;
}

void IndexNode::Append(const IndexNode& next) {
  bytes_.append(next.bytes_, 1);
  ORRERY_CHECK(FindEntries());
}

}  // namespace orrery::types

#include "storage/bucket_set.h"

#include <bit>

#include "orrery/base/check.h"

namespace orrery::storage {
namespace {

constexpr size_t kBits = 64;

}  // namespace

BucketSet::BucketSet(size_t size) {
  ORRERY_CHECK(size <= kLargestSize);
  for (Words& words : levels_) {
    size = (size + kBits - 1) / kBits;
    words = Words(size);
  }
}

void BucketSet::Add(size_t number) {
  // From the members up: whoever finds a bit finds what is below it.
  for (Words& words : levels_) {
    std::atomic<uint64_t>& word = words[number / kBits];
    const uint64_t bit = uint64_t{1} << (number % kBits);
    const uint64_t before = word.load(std::memory_order_relaxed);
    if ((before & bit) != 0) return;
    word.store(before | bit, std::memory_order_release);
    number /= kBits;
  }
}

size_t BucketSet::Next(size_t from) const {
  for (size_t level = 0; level < kLevels; ++level) {
    const size_t index = from / kBits;
    if (index >= levels_[level].size()) return kNone;
    const uint64_t word = Word(level, index) & (~uint64_t{0} << (from % kBits));
    if (word == 0) {
      from = index + 1;
      continue;
    }
    size_t found = index * kBits + static_cast<size_t>(std::countr_zero(word));
    while (level-- > 0) found = found * kBits + static_cast<size_t>(std::countr_zero(Word(level, found)));
    return found;
  }
  return kNone;
}

size_t BucketSet::Previous(size_t from) const {
  for (size_t level = 0; level < kLevels; ++level) {
    const size_t index = from / kBits;
    const uint64_t word = Word(level, index) & (~uint64_t{0} >> (kBits - 1 - from % kBits));
    if (word != 0) {
      size_t found = index * kBits + static_cast<size_t>(std::bit_width(word)) - 1;
      while (level-- > 0) found = found * kBits + static_cast<size_t>(std::bit_width(Word(level, found))) - 1;
      return found;
    }
    if (index == 0) return kNone;
    from = index - 1;
  }
  return kNone;
}

size_t BucketSet::memory_bytes() const {
  size_t bytes = 0;
  for (const Words& words : levels_) bytes += words.size() * sizeof(uint64_t);
  return bytes;
}

}  // namespace orrery::storage

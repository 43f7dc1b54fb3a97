#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace orrery::storage {

/// A set of bucket numbers that only grows, and finds the next or the previous member in a few steps however
/// sparse it is: a tree of 64-bit words, in which a bit says that the word below it is not empty.
///
/// One writer; readers of any thread at the same time. A reader sees at least the members that were added
/// before whatever it synchronized with.
class BucketSet {
 public:
  static constexpr size_t kLevels = 3;
  static constexpr size_t kLargestSize = size_t{64} * 64 * 64;
  static constexpr size_t kNone = SIZE_MAX;

  /// Of the numbers 0 .. size-1. REQUIRES: size <= kLargestSize.
  explicit BucketSet(size_t size);

  void Add(size_t number);
  /// The first member that is not before `from`, or kNone.
  size_t Next(size_t from) const;
  /// The last member that is not behind `from`, or kNone.
  size_t Previous(size_t from) const;

  size_t memory_bytes() const;

 private:
  using Words = std::vector<std::atomic<uint64_t>>;
  uint64_t Word(size_t level, size_t index) const {
    return levels_[level][index].load(std::memory_order_acquire);
  }

  std::array<Words, kLevels> levels_;  // of the members first
};

}  // namespace orrery::storage

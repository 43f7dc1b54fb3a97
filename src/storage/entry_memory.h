#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <new>
#include <utility>

namespace orrery::storage {

/// Memory of one memtable's entries that nobody reads any more, kept by size to be used for later ones: the
/// arena that it comes from takes nothing back before the memtable goes. One thread at a time.
class EntryMemory {
 public:
  /// So many bytes are to be asked of the arena for an entry of `bytes`: an eighth more at most, which makes
  /// few sizes of many. REQUIRES: bytes > 0.
  static size_t RoundUp(size_t bytes) {
    if (bytes > kLargestBytes) return bytes;
    const size_t step = StepOf(bytes);
    return (bytes + step - 1) / step * step;
  }

  /// Whether nothing was ever given.
  bool empty() const { return !has_any_; }
  /// Memory of that size that was given before, or null. REQUIRES: bytes is rounded up, here and below.
  void* Take(size_t bytes) {
    if (bytes > kLargestBytes) return nullptr;
    Free*& first = first_[NumberOf(bytes)];
    return first == nullptr ? nullptr : std::exchange(first, first->next);
  }
  /// More than a megabyte is not kept.
  void Give(void* memory, size_t bytes) {
    if (bytes > kLargestBytes) return;
    Free*& first = first_[NumberOf(bytes)];
    first = new (memory) Free{first};
    has_any_ = true;
  }

 private:
  struct Free {
    Free* next;
  };
  static constexpr size_t kSmallestBytes = 64;
  static constexpr size_t kSizesOfDoubling = 8;
  static constexpr size_t kDoublings = 14;
  static constexpr size_t kLargestBytes = kSmallestBytes << kDoublings;

  // Between a power of two and the next lie eight sizes.
  static size_t StepOf(size_t bytes) {
    return bytes <= kSmallestBytes ? kSmallestBytes : std::bit_floor(bytes - 1) / kSizesOfDoubling;
  }
  static size_t NumberOf(size_t bytes) {
    if (bytes <= kSmallestBytes) return 0;
    const size_t below = std::bit_floor(bytes - 1);
    const size_t doubling = static_cast<size_t>(std::countr_zero(below) - std::countr_zero(kSmallestBytes));
    return doubling * kSizesOfDoubling + (bytes - below) / (below / kSizesOfDoubling);
  }

  std::array<Free*, kDoublings * kSizesOfDoubling + 1> first_{};
  bool has_any_ = false;
};

}  // namespace orrery::storage

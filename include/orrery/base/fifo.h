#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "orrery/base/prefetch.h"

namespace orrery {

/// A queue in one piece of memory, for the many that are empty or nearly so: an empty one that was never used owns
/// nothing. Amortised constant time at both ends; pushing may move the elements.
template <typename T>
class Fifo {
 public:
  using const_iterator = typename std::vector<T>::const_iterator;

  bool empty() const { return head_ == items_.size(); }
  size_t size() const { return items_.size() - head_; }
  /// REQUIRES for front and pop_front: !empty().
  T& front() { return items_[head_]; }
  const T& front() const { return items_[head_]; }
  const T& back() const { return items_.back(); }

  void push_back(T item) { items_.push_back(std::move(item)); }
  void pop_front() {
    items_[head_++] = T();
    if (2 * head_ < items_.size()) return;
    // What is left moves at most once for each element that went.
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  /// Asks for the memory that the next push_back writes to.
  void PrefetchEnd() const { PrefetchBytes(items_.data() + items_.size(), sizeof(T)); }
  /// Asks for the memory of the front.
  void PrefetchFront() const { PrefetchBytes(items_.data() + head_, sizeof(T)); }
  void clear() {
    items_.clear();
    head_ = 0;
  }

  const_iterator begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(head_); }
  const_iterator end() const { return items_.end(); }

 private:
  std::vector<T> items_;
  size_t head_ = 0;
};

}  // namespace orrery

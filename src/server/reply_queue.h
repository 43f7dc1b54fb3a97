#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "orrery/base/check.h"
#include "server/command_index.h"
#include "server/metrics/slowlog.h"

namespace orrery::server {

/// The replies that a connection owes, in the order of its commands; each has a place from the moment its
/// command was read. A ring that keeps its memory, so a busy connection allocates nothing here. One
/// connection's.
class ReplyQueue {
 public:
  struct Place {
    std::string reply;
    ArgumentPreview preview;
    const CommandEntry* command = nullptr;
    uint64_t started_us = 0;
    size_t request_bytes = 0;
    bool done = false;
    bool silent = false;  ///< CLIENT REPLY OFF or SKIP: the reply is dropped
  };

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  /// A new place at the end, and its number.
  uint64_t Push() {
    if (size_ == ring_.size()) Grow();
    Place& place = ring_[(first_ + size_) & (ring_.size() - 1)];
    place.done = place.silent = false;
    place.command = nullptr;
    place.request_bytes = 0;
    return first_ + size_++;
  }
  Place& At(uint64_t number) {
    ORRERY_CHECK(number >= first_ && number < first_ + size_);
    return ring_[number & (ring_.size() - 1)];
  }
  Place& Front() { return At(first_); }
  /// Replies that wait for an earlier one.
  size_t ReadyCount() const {
    size_t ready = 0;
    for (size_t i = 0; i < size_; ++i) ready += ring_[(first_ + i) & (ring_.size() - 1)].done ? 1 : 0;
    return ready;
  }
  void PopFront() {
    Place& place = Front();
    place.reply.clear();
    if (place.reply.capacity() > kKeptBytes) place.reply.shrink_to_fit();
    ++first_;
    --size_;
  }
  /// Gives the memory back. REQUIRES: empty().
  void Shrink() {
    ORRERY_CHECK(empty());
    ring_ = {};
  }
  size_t capacity() const { return ring_.size(); }

 private:
  static constexpr size_t kKeptBytes = 1024;

  void Grow() {
    std::vector<Place> larger(ring_.empty() ? 4 : ring_.size() * 2);
    for (size_t i = 0; i < size_; ++i) {
      const uint64_t number = first_ + i;
      larger[number & (larger.size() - 1)] = std::move(ring_[number & (ring_.size() - 1)]);
    }
    ring_ = std::move(larger);
  }

  std::vector<Place> ring_;  ///< a power of two
  uint64_t first_ = 0;
  size_t size_ = 0;
};

}  // namespace orrery::server

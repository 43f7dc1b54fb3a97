#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "orrery/runtime/timers.h"

namespace orrery::runtime {

/// Pending timers ordered by deadline; of equal deadlines the one added first comes first. A binary heap
/// whose entries know their position, so that cancelling costs O(log n), as most timers are cancelled before
/// they fire. Owned by one loop, used on its thread only. Reads no clock.
class TimerHeap {
 public:
  TimerId Add(uint64_t deadline_us, std::function<void()> callback);
  /// False when there is no such timer any more.
  bool Cancel(TimerId id);

  std::optional<uint64_t> NextDeadline() const;
  /// Removes the first timer due at now_us and returns its callback; an empty function when none is due, or
  /// when the next due one was added as number added_before or later, so that a callback that sets timers
  /// cannot keep its caller for ever.
  std::function<void()> PopDue(uint64_t now_us, uint64_t added_before);
  /// How many timers were ever added.
  uint64_t added() const { return added_; }
  size_t size() const { return heap_.size(); }

 private:
  struct Entry {
    uint64_t deadline_us;
    uint64_t number;
    uint32_t record;
    bool Before(const Entry& o) const {
      return deadline_us != o.deadline_us ? deadline_us < o.deadline_us : number < o.number;
    }
  };
  struct Record {
    std::function<void()> callback;
    uint32_t generation = 1;
    uint32_t position = 0;  ///< in heap_
    bool pending = false;
  };

  void Place(size_t position, const Entry& entry);
  void SiftUp(size_t position);
  void SiftDown(size_t position);
  std::function<void()> Remove(size_t position);

  std::vector<Entry> heap_;
  std::vector<Record> records_;
  std::vector<uint32_t> free_records_;
  uint64_t added_ = 0;
};

}  // namespace orrery::runtime

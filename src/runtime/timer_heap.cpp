#include "runtime/timer_heap.h"

#include <utility>

namespace orrery::runtime {

TimerId TimerHeap::Add(uint64_t deadline_us, std::function<void()> callback) {
  uint32_t index;
  if (free_records_.empty()) {
    index = static_cast<uint32_t>(records_.size());
    records_.emplace_back();
  } else {
    index = free_records_.back();
    free_records_.pop_back();
  }
  Record& record = records_[index];
  record.callback = std::move(callback);
  record.pending = true;
  heap_.push_back({});
  Place(heap_.size() - 1, {deadline_us, added_++, index});
  SiftUp(heap_.size() - 1);
  return (static_cast<uint64_t>(record.generation) << 32) | index;
}

bool TimerHeap::Cancel(TimerId id) {
  const auto index = static_cast<uint32_t>(id);
  if (index >= records_.size()) return false;
  const Record& record = records_[index];
  if (!record.pending || record.generation != id >> 32) return false;
  Remove(record.position);
  return true;
}

std::optional<uint64_t> TimerHeap::NextDeadline() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().deadline_us;
}

std::function<void()> TimerHeap::PopDue(uint64_t now_us, uint64_t added_before) {
  if (heap_.empty() || heap_.front().deadline_us > now_us || heap_.front().number >= added_before) return {};
  return Remove(0);
}

void TimerHeap::Place(size_t position, const Entry& entry) {
  heap_[position] = entry;
  records_[entry.record].position = static_cast<uint32_t>(position);
}

void TimerHeap::SiftUp(size_t position) {
  const Entry entry = heap_[position];
  while (position > 0) {
    const size_t parent = (position - 1) / 2;
    if (!entry.Before(heap_[parent])) break;
    Place(position, heap_[parent]);
    position = parent;
  }
  Place(position, entry);
}

void TimerHeap::SiftDown(size_t position) {
  const Entry entry = heap_[position];
  while (true) {
    size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].Before(heap_[child])) ++child;
    if (!heap_[child].Before(entry)) break;
    Place(position, heap_[child]);
    position = child;
  }
  Place(position, entry);
}

std::function<void()> TimerHeap::Remove(size_t position) {
  const uint32_t index = heap_[position].record;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) {
    Place(position, last);
    SiftUp(position);
    SiftDown(records_[last.record].position);
  }
  Record& record = records_[index];
  record.pending = false;
  if (++record.generation == 0) record.generation = 1;
  free_records_.push_back(index);
  return std::exchange(record.callback, nullptr);
}

}  // namespace orrery::runtime

#pragma once

#include <atomic>
#include <functional>
#include <utility>

namespace orrery::runtime {

/// Tasks from any thread for one consumer. No locks: producers push onto a stack, the consumer takes the
/// whole stack at once and turns it round (R. K. Treiber, 1986). Tasks of one producer keep their order.
class TaskQueue {
 public:
  struct Task {
    std::function<void()> run;
    Task* next = nullptr;
  };

  TaskQueue() = default;
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;
  /// Destroys what was never taken, without running it.
  ~TaskQueue() {
    for (Task* task = TakeAll(); task != nullptr;) delete std::exchange(task, task->next);
  }

  /// True when the queue was empty: this producer, and no other until the next TakeAll(), has to wake the
  /// consumer.
  bool Push(std::function<void()> run) {
    Task* head = head_.load(std::memory_order_relaxed);
    Task* task = new Task{std::move(run), head};
    while (!head_.compare_exchange_weak(head, task, std::memory_order_release, std::memory_order_relaxed)) {
      task->next = head;
    }
    return head == nullptr;
  }

  /// The consumer's: everything pushed so far, oldest first, linked by next. The caller deletes it.
  Task* TakeAll() {
    Task* reversed = head_.exchange(nullptr, std::memory_order_acquire);
    Task* first = nullptr;
    while (reversed != nullptr) {
      Task* next = reversed->next;
      reversed->next = first;
      first = std::exchange(reversed, next);
    }
    return first;
  }

 private:
  std::atomic<Task*> head_{nullptr};
};

}  // namespace orrery::runtime

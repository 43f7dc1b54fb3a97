#include "orrery/replication/backlog.h"

#include <map>

#include "orrery/base/marks.h"

namespace orrery::replication {

using causality::Actor;
using causality::EventPtr;
using causality::SlotClock;

void Backlog::Append(EventPtr event) { events_.push_back(std::move(event)); }

std::optional<std::vector<EventPtr>> Backlog::Since(const SlotClock& from, const SlotClock& have) const {
  // What a floor stands for is not here any more, event by event.
  for (const auto& floor : have.floors()) {
    if (from.FloorOf(floor.node) < floor.incarnation && !ORRERY_MUTATION("floors-do-not-count"))
      return std::nullopt;
  }
  std::map<Actor, uint64_t> reached;
  for (const auto& entry : have.counters().entries()) {
    if (!from.Covers({entry.actor, entry.counter})) reached[entry.actor] = from.Get(entry.actor);
  }
  std::vector<EventPtr> lacking;
  for (const EventPtr& event : events_) {
    const auto it = reached.find(event->dot.actor);
    if (it == reached.end() || event->dot.counter != it->second + 1) continue;
    it->second = event->dot.counter;
    lacking.push_back(event);
  }
  for (const auto& [actor, counter] : reached) {
    if (counter != have.Get(actor) && !ORRERY_MUTATION("end-of-backlog-means-current")) return std::nullopt;
  }
  return lacking;
}

std::optional<std::vector<EventPtr>> Backlog::Of(const Actor& actor, uint64_t from, uint64_t to) const {
  std::vector<EventPtr> found;
  for (const EventPtr& event : events_) {
    if (event->dot.actor == actor && event->dot.counter == from + found.size() + 1 && event->dot.counter <= to) {
      found.push_back(event);
    }
  }
  if (from + found.size() < to) return std::nullopt;
  return found;
}

size_t Backlog::DropOldest() {
  const size_t bytes = events_.front()->bytes.size();
  events_.pop_front();
  return bytes;
}

void BacklogBudget::Added(SlotId slot, size_t bytes) {
  bytes_ += bytes;
  order_.push_back(slot);
}

void BacklogBudget::Forget(SlotId slot, size_t bytes) {
  bytes_ -= bytes;
  std::erase(order_, slot);
}

void BacklogBudget::Trim(const std::function<size_t(SlotId)>& drop,
                         const std::function<void(SlotId, size_t)>& prefetch) {
  if (bytes_ <= bytes_max_) return;
  const size_t bytes_left = bytes_max_ - bytes_max_ / kRoomShare;
  for (size_t tries = order_.size(); bytes_ > bytes_left && tries > 0; --tries) {
    if (prefetch) PrefetchAhead(prefetch);
    const SlotId slot = order_.front();
    order_.pop_front();
    const size_t bytes = drop(slot);
    bytes_ -= bytes;
    if (bytes == 0) order_.push_back(slot);
  }
}

void BacklogBudget::PrefetchAhead(const std::function<void(SlotId, size_t)>& prefetch) const {
  for (size_t step = 0; step < kPrefetchSteps; ++step) {
    const size_t ahead = (kPrefetchSteps - step) * kStepSlots;
    if (ahead < order_.size()) prefetch(order_[ahead], step);
  }
}

}  // namespace orrery::replication

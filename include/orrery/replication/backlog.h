#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "orrery/base/fifo.h"
#include "orrery/causality/event.h"

namespace orrery::replication {

/// The latest events that a replica applied in one slot, from all actors, in apply order (as Redis's replication
/// backlog). Serves peers that lack a little; whoever lacks more merges the slot. In memory only; its end never means
/// "current": only clocks do. Owned by the slot, on its loop.
class Backlog {
 public:
  void Append(causality::EventPtr event);
  /// What a replica at `from` lacks of `have`, in apply order; nullopt if some of it is here no more, or is
  /// closed.
  std::optional<std::vector<causality::EventPtr>> Since(const causality::SlotClock& from,
                                                        const causality::SlotClock& have) const;
  /// The actor's events with from < counter <= to, in order; nullopt if some are here no more.
  std::optional<std::vector<causality::EventPtr>> Of(const causality::Actor& actor, uint64_t from, uint64_t to) const;

  /// Everything that is here, in apply order.
  std::vector<causality::EventPtr> All() const { return {events_.begin(), events_.end()}; }

  const causality::EventPtr& Oldest() const { return events_.front(); }
  /// Asks for the memory that DropOldest needs: first where the event is, a little later the event.
  void PrefetchFront() const { events_.PrefetchFront(); }
  void PrefetchOldest() const {
    if (!events_.empty()) PrefetchBytes(events_.front().get(), sizeof(causality::EncodedEvent));
  }
  /// Bytes given back.
  size_t DropOldest();
  void Prefetch() const { events_.PrefetchEnd(); }
  bool empty() const { return events_.empty(); }
  size_t size() const { return events_.size(); }

 private:
  Fifo<causality::EventPtr> events_;
};

/// Keeps all backlogs of a loop together below one limit, dropping the oldest events first.
class BacklogBudget {
 public:
  explicit BacklogBudget(size_t bytes_max) : bytes_max_(bytes_max) {}

  void Added(SlotId slot, size_t bytes);
  /// The slot's backlog, of so many bytes, is gone.
  void Forget(SlotId slot, size_t bytes);
  /// If the limit is passed, drops oldest events until some room is left, since in lots that costs less.
  /// drop(slot) drops the slot's oldest event and returns its bytes, or 0 if it must stay (an own event that
  /// is not on W nodes yet). All that this leads to is long out of the cache: some slots ahead of it
  /// prefetch(slot, step) asks for the memory of one step after the other.
  void Trim(const std::function<size_t(SlotId)>& drop,
            const std::function<void(SlotId, size_t)>& prefetch = {});
  static constexpr size_t kPrefetchSteps = 4;
  size_t bytes() const { return bytes_; }

 private:
  /// A share of the limit that Trim leaves free.
  static constexpr size_t kRoomShare = 1024;
  /// So many slots ahead of its turn each step comes before the next one.
  static constexpr size_t kStepSlots = 6;

  void PrefetchAhead(const std::function<void(SlotId, size_t)>& prefetch) const;

  size_t bytes_max_;
  size_t bytes_ = 0;
  std::deque<SlotId> order_;
};

}  // namespace orrery::replication

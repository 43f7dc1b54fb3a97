#include "simulation/history.h"

#include <algorithm>
#include <list>

#include "orrery/base/check.h"
#include "orrery/base/hash.h"

namespace orrery::simulation {

using causality::Cell;
using causality::CellId;
using causality::Dot;
using causality::Event;
using causality::SlotClock;

History::Recorded History::Record(const causality::EventPtr& encoded) {
  Event event;
  ORRERY_CHECK(causality::DecodeEvent(encoded->bytes, &event));
  auto& events = slots_[event.slot].actors[event.dot.actor];
  const uint64_t counter = event.dot.counter;
  if (counter <= events.size()) return events[counter - 1] == event ? Recorded::kSame : Recorded::kClash;
  if (counter != events.size() + 1) return Recorded::kClash;
  events.push_back(std::move(event));
  ++events_;
  return Recorded::kNew;
}

std::vector<causality::Actor> History::Close(SlotId slot, NodeId node, uint64_t incarnation,
                                             const SlotClock& before) {
  Slot& known = slots_[slot];
  uint64_t& floor = known.floors[node];
  std::vector<causality::Actor> closed;
  for (const auto& [actor, events] : known.actors) {
    if (actor.node != node || actor.incarnation < floor || actor.incarnation >= incarnation) continue;
    known.closed.Raise(actor, before.Get(actor));
    closed.push_back(actor);
  }
  floor = std::max(floor, incarnation);
  return closed;
}

causality::VersionVector History::Applied(SlotId slot, const SlotClock& clock) const {
  causality::VersionVector applied = clock.counters();
  const auto known = slots_.find(slot);
  if (known == slots_.end()) return applied;
  for (const auto& entry : known->second.closed.entries()) {
    if (clock.IsClosed(entry.actor)) applied.Raise(entry.actor, entry.counter);
  }
  return applied;
}

const History::Actors& History::actors(SlotId slot) const {
  static const Actors kNone;
  const auto it = slots_.find(slot);
  return it == slots_.end() ? kNone : it->second.actors;
}

std::set<SlotId> History::slots() const {
  std::set<SlotId> slots;
  for (const auto& [slot, state] : slots_) slots.insert(slot);
  return slots;
}

uint64_t History::Latest(SlotId slot, const causality::Actor& actor) const {
  const auto it = actors(slot).find(actor);
  return it == actors(slot).end() ? 0 : it->second.size();
}

const Event* History::Find(SlotId slot, const Dot& dot) const {
  const auto it = actors(slot).find(dot.actor);
  if (it == actors(slot).end() || dot.counter == 0 || dot.counter > it->second.size()) return nullptr;
  return &it->second[dot.counter - 1];
}

SlotClock History::Everything(SlotId slot) const {
  causality::VersionVector counters;
  for (const auto& [actor, events] : actors(slot)) counters.Raise(actor, events.size());
  SlotClock clock;
  clock.JoinCounters(counters);
  const auto known = slots_.find(slot);
  if (known == slots_.end()) return clock;
  for (const auto& [node, floor] : known->second.floors) clock.RaiseFloor(node, floor);
  return clock;
}

namespace {

/// Gathers the events below a clock in no order that matters.
class Gathering {
 public:
  explicit Gathering(const SlotClock& clock) : clock_(clock) {}

  void Add(const Event& event) {
    for (const auto& scope : event.scopes) scopes_.push_back(&scope);
    for (const auto& change : event.changes) {
      for (const CellId& id : change.removed) removed_.emplace(change.row_key, id);
      for (const Cell& cell : change.added) {
        const Cell*& newest = added_[{change.row_key, cell.id()}];
        if (newest == nullptr || newest->dot < cell.dot) newest = &cell;
      }
    }
  }

  Expected Result() const {
    Expected expected;
    for (const auto& [id, cell] : added_) {
      if (!IsRemoved(id.first, id.second)) expected.rows[id.first].cells.push_back(*cell);
    }
    for (const auto& [row_key, id] : removed_) {
      if (!clock_.Covers(id.dot)) expected.voided.Add(row_key, id);
    }
    for (const auto* scope : scopes_) {
      if (!clock_.CoversEveryDotOf(scope->covered)) expected.voided.Add(*scope);
    }
    for (const auto& [row_key, row] : expected.rows) {
      expected.digest += Hash64(causality::EncodeRow(row), Hash64(row_key));
    }
    return expected;
  }

 private:
  bool IsRemoved(const std::string& row_key, const CellId& id) const {
    if (removed_.contains({row_key, id})) return true;
    return std::any_of(scopes_.begin(), scopes_.end(), [&](const causality::ScopeRemoval* scope) {
      return row_key.starts_with(scope->prefix) && scope->covered.Covers(id.dot);
    });
  }

  const SlotClock& clock_;
  std::map<std::pair<std::string, CellId>, const Cell*> added_;
  std::set<std::pair<std::string, CellId>> removed_;
  std::vector<const causality::ScopeRemoval*> scopes_;
};

}  // namespace

std::shared_ptr<const Expected> History::At(SlotId slot, const SlotClock& clock) const {
  const auto it = slots_.find(slot);
  if (it == slots_.end()) return clock.empty() ? std::make_shared<const Expected>() : nullptr;
  auto& cached = it->second.cache[clock.Hash()];
  if (cached) return cached;
  Gathering gathering(clock);
  for (const auto& entry : clock.counters().entries()) {
    if (entry.counter > Latest(slot, entry.actor)) return nullptr;
  }
  const causality::VersionVector applied = Applied(slot, clock);
  for (const auto& [actor, events] : it->second.actors) {
    const uint64_t upto = applied.Get(actor);
    for (uint64_t i = 0; i < upto; ++i) gathering.Add(events[i]);
  }
  cached = std::make_shared<const Expected>(gathering.Result());
  return cached;
}

causality::Row History::RowAt(SlotId slot, const SlotClock& clock, const std::string& row_key,
                              const std::function<bool(const Dot&)>& skips) const {
  std::list<Event> parts;  // Gathering points into them
  Gathering gathering(clock);
  const causality::VersionVector applied = Applied(slot, clock);
  for (const auto& [actor, events] : actors(slot)) {
    const uint64_t upto = std::min<uint64_t>(applied.Get(actor), events.size());
    for (uint64_t i = 0; i < upto; ++i) {
      Event& part = parts.emplace_back(events[i]);
      std::erase_if(part.changes, [&](const auto& change) { return change.row_key != row_key; });
      std::erase_if(part.scopes, [&](const auto& scope) { return !row_key.starts_with(scope.prefix); });
      const bool touches = !part.changes.empty() || !part.scopes.empty();
      if (touches && !skips(part.dot)) gathering.Add(part);
    }
  }
  const Expected expected = gathering.Result();
  const auto row = expected.rows.find(row_key);
  return row == expected.rows.end() ? causality::Row() : row->second;
}

}  // namespace orrery::simulation

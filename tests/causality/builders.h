#pragma once

#include <string>
#include <utility>

#include "orrery/causality/event.h"

namespace orrery::causality {

/// Short names for tests: actor a is the first life of node a.
inline Actor A(uint64_t node, uint64_t incarnation = 1) { return {NodeId{node}, incarnation}; }
inline Dot D(uint64_t node, uint64_t counter) { return {A(node), counter}; }

inline Cell Value(const Dot& dot, HybridTime hlc, std::string payload) {
  return {CellKind::kValue, dot, dot.counter, hlc, std::move(payload), {}};
}
inline Cell Increment(const Dot& dot, uint64_t birth, std::string sum) {
  return {CellKind::kIncrement, dot, birth, dot.counter, std::move(sum), {}};
}
inline Row MakeRow(std::initializer_list<Cell> cells) {
  Row row;
  for (const Cell& cell : cells) row.Upsert(cell);
  return row;
}
inline SlotClock Clock(std::initializer_list<Dot> upto) {
  VersionVector counters;
  for (const Dot& dot : upto) counters.Raise(dot);
  SlotClock clock;
  clock.JoinCounters(counters);
  return clock;
}

}  // namespace orrery::causality

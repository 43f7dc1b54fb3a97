// What floors may stand for, and what may not grow.

#include <algorithm>
#include <utility>

#include "simulation/checkers.h"
#include "simulation/describe.h"

namespace orrery::simulation {

using causality::Actor;
using causality::Dot;
using causality::SlotClock;
using replication::SlotReplica;

// A floor that nobody had before is raised by a home that had its events one by one until now.
void Checkers::CheckFloors(size_t node, SlotId slot, const SlotReplica& replica) {
  const SlotClock& before = books_[node].known[slot].clock;
  for (const auto& floor : replica.clock().floors()) {
    if (before.FloorOf(floor.node) >= floor.incarnation) continue;
    for (const Actor& actor : history_.Close(slot, floor.node, floor.incarnation, before)) {
      CheckClosed(node, slot, actor);
    }
  }
}

// Below a floor no member holds an acknowledged event that some home has not applied. Where no disk is
// damaged or set back, there is not even one that nobody acknowledged.
void Checkers::CheckClosed(size_t node, SlotId slot, const Actor& actor) {
  const auto& faults = cluster_.options().faults;
  const bool exact = !faults.contains("image") && !faults.contains("corrupt") && !faults.contains("rot");
  const uint64_t applied =
      history_.Applied(slot, cluster_.node(node).ShardOf(slot).slots().Find(slot)->clock()).Get(actor);
  for (NodeId home : cluster_.Homes(slot)) {
    SimNode& other = cluster_.node(cluster_.IndexOf(home));
    if (!exact || !other.up() || other.failed()) continue;
    const SlotReplica* replica = other.ShardOf(slot).slots().Find(slot);
    const uint64_t theirs = replica == nullptr ? 0 : history_.Applied(slot, replica->clock()).Get(actor);
    if (theirs == applied) continue;
    Fail("closed", At(node, slot) + " closes " + DescribeActor(actor) + " at " + std::to_string(applied) +
                       ", " + DescribeNode(home) + " is at " + std::to_string(theirs));
  }
  const Dot next{actor, applied + 1};
  if (copies_.Owing(slot, next).empty()) return;  // nobody can ever apply what follows
  for (uint64_t counter = applied + 1; counter <= history_.Latest(slot, actor); ++counter) {
    const Dot dot{actor, counter};
    const auto owing = copies_.Owing(slot, dot);
    if (owing.empty() || (!exact && !acknowledged_dots_.contains({slot, dot}))) continue;
    return Fail("closed", At(node, slot) + " closes " + DescribeActor(actor) + " at " +
                              std::to_string(applied) + " though " + NodeName(owing.front()) + " holds " +
                              DescribeDot(dot));
  }
}

void Checkers::CheckBounds(Port port) {
  const size_t node = port.node;
  replication::Shard& shard = cluster_.node(node).loop(port.loop).shard();
  if (shard.failed()) return;
  // What was applied after the commit is the next turn's: it is cut then. It need not have written anything yet: an event
  // that removes what is not here leaves the rows as they are.
  const auto& slots = cluster_.slots();
  if (std::any_of(slots.begin(), slots.end(), [&](SlotId slot) { return shard.slots().IsTouched(slot); })) return;
  NodeBook& book = books_[node];
  const size_t backlog_bytes = shard.slots().backlog_bytes();
  // Backlogs are cut when they grow; what is on W nodes only since then may stay until they grow again.
  const bool grew = backlog_bytes > std::exchange(book.backlog_bytes[port.loop], backlog_bytes);
  const bool must_be_cut = grew && backlog_bytes > cluster_.options().shard.backlog_bytes_max;
  for (SlotId slot : cluster_.slots()) {
    SlotReplica* replica = shard.slots().Find(slot);
    if (replica == nullptr) continue;
    // Lives of a node below its floor have no entry, so there are entries of open ones alone.
    for (const auto& entry : replica->clock().counters().entries()) {
      if (replica->clock().IsClosed(entry.actor)) Fail("bounded", At(node, slot) + " counts a closed life");
    }
    if (replica->clock().floors().size() > cluster_.size())
      Fail("bounded", At(node, slot) + " has too many floors");
    const Actor self = cluster_.node(node).actor();
    const uint64_t committed = std::exchange(book.committed[slot], replica->committed().Get(self));
    if (!must_be_cut || replica->backlog().empty()) continue;
    const Dot& oldest = replica->backlog().Oldest()->dot;
    if (oldest.actor != self || oldest.counter <= committed)
      Fail("bounded", At(node, slot) + " keeps " + DescribeDot(oldest) + " in a backlog of " + std::to_string(backlog_bytes) + " bytes");
  }
}

// A coordinator replaces what it sees, and it sees all that it has made: once everybody has heard of everything, each life
// has left one value at most. But whoever says by a context what is replaced may say that nothing is.
void Checkers::CheckSiblings() {
  for (SlotId slot : cluster_.slots()) {
    const auto expected = history_.At(slot, history_.Everything(slot));
    for (const auto& [row_key, row] : expected->rows) {
      const std::string name = DescribeRow(row_key, causality::EncodeRow(row));
      std::map<Actor, size_t> values;
      for (const causality::Cell& cell : row.cells) {
        if (cell.kind == causality::CellKind::kValue) ++values[cell.dot.actor];
      }
      for (const auto& [actor, count] : values) {
        if (count < 2 || name.starts_with('c')) continue;
        Fail("bounded", "slot " + std::to_string(slot) + " has several values of " + DescribeActor(actor) + " in " + name);
      }
    }
  }
}

}  // namespace orrery::simulation

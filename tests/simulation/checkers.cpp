#include "simulation/checkers.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "orrery/base/marks.h"
#include "orrery/replication/messages.h"
#include "orrery/storage/hint_store.h"
#include "orrery/storage/row_key.h"
#include "simulation/describe.h"

namespace orrery::simulation {

using causality::Dot;
using causality::SlotClock;
using replication::Outcome;
using replication::SlotReplica;

Checkers::Checkers(Cluster* cluster) : cluster_(*cluster), copies_(cluster->size()), books_(cluster->size()) {
  cluster->SetWatcher(this);
}

std::string Checkers::At(size_t node, SlotId slot) {
  return NodeName(node) + " slot " + std::to_string(slot);
}

// ---- replicas ----

void Checkers::AfterTurn(Port port) {
  const size_t node = port.node;
  if (!books_[node].started) return;  // AfterStart looks first
  replication::Shard& shard = cluster_.node(node).loop(port.loop).shard();
  for (SlotId slot : cluster_.slots()) {
    if (!shard.context().Owns(slot)) continue;
    const SlotReplica* replica = shard.slots().Find(slot);
    if (replica == nullptr) continue;
    RecordOwn(node, slot, *replica);
    if (shard.failed()) continue;  // what it has in memory was never committed
    const Known& known = books_[node].known[slot];
    const bool changed = known.digest != replica->digest() || known.voided != replica->voided().size() ||
                         known.clock != replica->clock();
    if (changed) CheckReplica(node, slot, *replica);
    CheckSeats(node, slot, replica->clock());
  }
  CheckHints(port);
  CheckBounds(port);
  // Replies leave while the turn ends; what the turn did is in the books only now.
  for (Operation* operation : std::exchange(replied_, {})) CheckReply(operation);
}

void Checkers::RecordOwn(size_t node, SlotId slot, const SlotReplica& replica) {
  const causality::Actor self = cluster_.node(node).actor();
  const uint64_t upto = replica.clock().Get(self);
  const uint64_t from = history_.Latest(slot, self);
  if (upto <= from) return;
  const auto events = replica.backlog().Of(self, from, upto);
  if (!events) return Fail("contiguous", At(node, slot) + " covers own events that it never made");
  for (const auto& event : *events) {
    if (history_.Record(event) == History::Recorded::kClash) {
      Fail("once", At(node, slot) + " gave " + DescribeDot(event->dot) + " to a second event");
    }
  }
}

// A turn that makes an event and then finds the slot damaged leaves no trace of it but what it has sent.
void Checkers::OnSend(size_t node, std::string_view frame) {
  const auto& faults = cluster_.options().faults;
  if (!faults.contains("corrupt") && !faults.contains("rot")) return;
  replication::FrameReader reader(frame);
  replication::Message message;
  while (reader.Next(&message)) {
    causality::EventPtr event;
    if (const auto* sent = std::get_if<replication::EventMessage>(&message)) event = sent->event;
    if (const auto* hint = std::get_if<replication::HintMessage>(&message)) event = hint->event;
    if (event == nullptr || event->dot.actor != cluster_.node(node).actor()) continue;
    if (event->dot.counter == history_.Latest(event->slot, event->dot.actor) + 1) history_.Record(event);
  }
}

// Who serves for a seat that it was given has all that the giver had promised for it.
void Checkers::CheckSeats(size_t node, SlotId slot, const SlotClock& clock) {
  const replication::SeatTable& seats = cluster_.node(node).ShardOf(slot).context().seats;
  if (!seats.HasRecords(slot)) return;
  const NodeId self = cluster_.node(node).id();
  for (uint8_t index = 0; index < seats.SeatsEnd(slot); ++index) {
    const replication::Seat seat = seats.SeatAt(slot, index);
    const GivenSeat key{slot, index, seat.version, seat.owner};
    if (seat.giver == self && !seat.in_service) {
      given_seats_.try_emplace(key, Promise{self, history_.Applied(slot, clock)});
    }
    if (seat.owner != self || !seat.in_service) continue;
    const auto given = given_seats_.find(key);
    if (given == given_seats_.end() || !given->second.clock) continue;
    const auto promised = std::exchange(given->second.clock, std::nullopt);
    if (history_.Applied(slot, clock).Descends(*promised)) continue;
    if (lost_disks_.contains(given->second.giver)) continue;  // with what only it had
    Fail("seated", At(node, slot) + " is in service at " + DescribeClock(clock) +
                       ", short of what the seat's giver had");
  }
}

// What a node drops is on enough other disks.
void Checkers::CheckDrop(size_t node, SlotId slot, const SlotClock& had) {
  copies_.RestartedWithClock(node, slot, {});
  const size_t others = copies_.CountOwing(slot, history_.Applied(slot, had));
  const bool may_lose =
      cluster_.options().faults.contains("image") || cluster_.options().faults.contains("replace");
  const size_t seats = cluster_.node(node).ShardOf(slot).context().seats.SeatCount(slot);
  const size_t needed = may_lose ? 1 : std::min<size_t>(cluster_.options().w, seats);
  if (others >= needed) return;
  Fail("dropped", At(node, slot) + " dropped " + DescribeClock(had) + ", which only " +
                      std::to_string(others) + " others have");
}

void Checkers::CheckReplica(size_t node, SlotId slot, const SlotReplica& replica) {
  Known& known = books_[node].known[slot];
  const uint64_t corrupt = cluster_.node(node).ShardOf(slot).stats().corrupt_slots;
  const uint64_t dropped = cluster_.node(node).ShardOf(slot).stats().slots_dropped;
  const bool is_dropped = dropped != known.dropped_slots && replica.clock().empty() && !known.clock.empty();
  if (is_dropped) {
    CheckDrop(node, slot, known.clock);
  } else if (corrupt == known.corrupt_slots && !replica.clock().CoversEveryDotOf(known.clock)) {
    Fail("monotone", At(node, slot) + " went from " + DescribeClock(known.clock) + " to " +
                         DescribeClock(replica.clock()));
  }
  if (!is_dropped) CheckFloors(node, slot, replica);
  known = {replica.clock(), replica.digest(), replica.voided().size(), corrupt, dropped};
  copies_.HasClock(node, slot, history_.Applied(slot, replica.clock()));
  const auto expected = history_.At(slot, replica.clock());
  if (!expected)
    return Fail("contiguous",
                At(node, slot) + " covers events that nobody made: " + DescribeClock(replica.clock()));
  if (expected->digest != replica.digest()) {
    if (IsDestroyed(node, slot, replica, *expected)) {
      return cluster_.Finish(At(node, slot) + " lacks what no disk had any more");
    }
    CheckRowsDeeply();
    Fail("exact",
         At(node, slot) + " at " + DescribeClock(replica.clock()) + " has a digest that is not its rows'");
  }
  if (!(expected->voided == replica.voided())) {
    Fail("voided", At(node, slot) + " at " + DescribeClock(replica.clock()) + " has " +
                       std::to_string(replica.voided().size()) + " voided, its clock says " +
                       std::to_string(expected->voided.size()));
  }
  NoteDamage(node, slot, replica);
}

void Checkers::CheckRowsDeeply() {
  for (size_t node = 0; node < cluster_.size(); ++node) {
    if (!cluster_.node(node).up() || cluster_.node(node).failed()) continue;
    for (SlotId slot : cluster_.slots()) {
      const SlotReplica* replica = cluster_.node(node).ShardOf(slot).slots().Find(slot);
      if (replica == nullptr || replica->is_aside()) continue;
      // In the middle of a turn: floors that it raised are not in the books yet.
      if (books_[node].known[slot].clock != replica->clock()) continue;
      const auto expected = history_.At(slot, replica->clock());
      if (!expected) continue;
      std::map<std::string, std::string> rows;
      auto cursor = cluster_.node(node).StoreOf(slot).Scan(storage::Table::kRows, storage::SlotPrefix(slot));
      for (; cursor->Valid(); cursor->Next()) rows.emplace(cursor->key().substr(2), cursor->value());
      if (!cursor->status().ok()) continue;  // a damaged row is noticed by whoever reads it
      std::map<std::string, std::string> wanted;
      for (const auto& [row_key, row] : expected->rows) wanted.emplace(row_key, causality::EncodeRow(row));
      if (rows == wanted) continue;
      std::string text = At(node, slot) + " at " + DescribeClock(replica->clock()) + ":";
      for (const auto* side : {&rows, &wanted}) {
        text += side == &rows ? " has" : "; should have";
        for (const auto& [row_key, bytes] : *side) text += " " + DescribeRow(row_key, bytes);
      }
      cluster_.Note("rows", node, slot, [&] { return text; });
      Fail("exact", text);
    }
  }
}

// ---- hints ----

std::set<std::pair<SlotId, Dot>> Checkers::HintsOf(Port port) {
  std::set<std::pair<SlotId, Dot>> hints;
  SimNode& node = cluster_.node(port.node);
  const auto owns = [&](SlotId slot) { return slot % node.loops() == port.loop; };
  auto store = storage::HintStore::Open(&node.loop(port.loop).store(), {.owns_slot = owns});
  if (!store.ok()) return hints;
  for (const auto& [home, totals] : (*store)->totals()) {
    for (auto cursor = (*store)->Scan(home); cursor.Valid(); cursor.Next()) {
      hints.emplace(cursor.hint().slot, cursor.hint().dot);
    }
  }
  return hints;
}

std::set<std::pair<SlotId, Dot>> Checkers::HintsOf(size_t node) {
  std::set<std::pair<SlotId, Dot>> hints;
  for (size_t loop = 0; loop < cluster_.node(node).loops(); ++loop) hints.merge(HintsOf(Port{node, loop}));
  return hints;
}

bool Checkers::IsOnADisk(SlotId slot, const Dot& dot) {
  const bool always = cluster_.options().shard.sync == replication::SyncPolicy::kAlways;
  for (size_t node = 0; node < cluster_.size(); ++node) {
    if (!cluster_.node(node).up()) continue;
    const SlotReplica* replica = cluster_.node(node).ShardOf(slot).slots().Find(slot);
    if (replica != nullptr && (always ? replica->clock() : replica->synced()).Covers(dot)) return true;
  }
  return false;
}

void Checkers::CheckHints(Port port) {
  const replication::Shard& shard = cluster_.node(port.node).loop(port.loop).shard();
  HintCounts counts{shard.stats().hints_stored, 0};
  for (const auto& [home, totals] : shard.hints().totals()) counts.total += totals.count;
  if (shard.failed() || std::exchange(books_[port.node].hints[port.loop], counts) == counts) return;
  copies_.HasHints(port.node, port.loop, HintsOf(port),
                   [this](SlotId slot, const Dot& dot) { return IsOnADisk(slot, dot); });
}

void Checkers::BeforeCrash(size_t node) {
  books_[node] = NodeBook();
}

void Checkers::AfterStart(size_t node) {
  books_[node] = NodeBook();
  books_[node].started = true;
  for (SlotId slot : cluster_.slots()) {
    const SlotReplica* replica = cluster_.node(node).ShardOf(slot).slots().Find(slot);
    const SlotClock clock = replica == nullptr ? SlotClock() : replica->clock();
    copies_.RestartedWithClock(node, slot, history_.Applied(slot, clock));
    if (replica != nullptr) CheckReplica(node, slot, *replica);
  }
  std::vector<std::set<std::pair<SlotId, Dot>>> hints;
  for (size_t loop = 0; loop < cluster_.node(node).loops(); ++loop)
    hints.push_back(HintsOf(Port{node, loop}));
  copies_.RestartedWithHints(node, hints);
}

void Checkers::OnDiskGone(size_t node) {
  lost_disks_.insert(cluster_.node(node).id());
  copies_.Dismiss(node);
}

// What it has and was promised to somebody is owed by others, too.
void Checkers::OnLeft(size_t node) {
  for (const auto& [slot, dot] : acknowledged_dots_) {
    const auto owing = copies_.Owing(slot, dot);
    if (owing.size() == 1 && owing.front() == node && !IsStranded(slot, dot)) {
      Fail("left", NodeName(node) + " has left with the only copy of " + DescribeDot(dot) + " of slot " +
                       std::to_string(slot));
    }
  }
  copies_.Dismiss(node);
}

// ---- operations ----

void Checkers::OnInvoke(Operation* operation) {
  operations_[operation->id] = operation;
  operation->acknowledged_before = acknowledged_[operation->slot];
}

void Checkers::OnExecution(size_t /*node*/, const Execution& execution) {
  if (execution.op == 0) {  // the node's own
    if (execution.made.counter != 0) ORRERY_MARK("expired rows are purged");
    return;
  }
  const auto it = operations_.find(execution.op);
  if (it == operations_.end()) return Fail("refused", "an operation ran that nobody asked for");
  Operation& operation = *it->second;
  operation.executions.push_back(execution);
  if (execution.made.counter == 0) return;
  if (operation.response && operation.response->outcome != Outcome::kReply &&
      operation.response->outcome != Outcome::kUnknown) {
    Fail("refused", Describe(operation) + " was refused and yet applied later");
  }
  const auto made = std::count_if(operation.executions.begin(), operation.executions.end(),
                                  [](const Execution& e) { return e.made.counter != 0; });
  if (made > 1 && !operation.traits.idempotent) Fail("twice", Describe(operation) + " was applied twice");
}

void Checkers::CheckReply(Operation* operation) {
  const bool made = std::any_of(operation->executions.begin(), operation->executions.end(),
                                [](const Execution& e) { return e.made.counter != 0; });
  if (!operation->acknowledged()) {
    // Who still asks a node that has left learns of it.
    SimNode& entry = cluster_.node(operation->entry);
    const bool has_left = entry.up() && (entry.view().is_removed || entry.view().says_farewell);
    if (expect_answers_ && !has_left && cluster_.HasHomes(operation->slot))
      Fail("available", Describe(*operation) + " was refused though nothing had failed");
    if (made && operation->response->outcome != Outcome::kUnknown) {
      Fail("refused", Describe(*operation) + " was refused though it had been applied");
    }
    return;
  }
  ++acknowledged_count_;
  if (operation->traits.parks) return;  // promises nothing: its client is called to ask, or to wait elsewhere
  if (operation->executions.empty())
    return Fail("refused", Describe(*operation) + " was answered but never ran");
  // Tried in two places, the reply is that of either: one of them must be as it should.
  const Execution* answered = nullptr;
  std::string missing;
  for (const Execution& execution : operation->executions) {
    missing = NotOnEnough(execution);
    if (!missing.empty()) continue;
    answered = &execution;
    break;
  }
  if (answered == nullptr)
    return Fail("copies", Describe(*operation) + " was answered having seen " + missing);
  if (expect_fresh_ && operation->traits.reads) CheckFresh(*operation);
  if (answered->made.counter == 0) return;
  causality::VersionVector counters;
  counters.Raise(answered->made);
  acknowledged_[operation->slot].JoinCounters(counters);
  acknowledged_dots_.emplace(operation->slot, answered->made);
  if (operation->executions.size() == 1) operation->promised = answered->made;
}

std::string Checkers::NotOnEnough(const Execution& execution) {
  SlotClock saw = execution.before;
  if (execution.made.counter != 0) saw.Advance(execution.made);
  // As many as there were seats, while the cluster grows to N nodes.
  const size_t seats =
      cluster_.options().nodes < cluster_.options().n ? execution.seats : cluster_.options().n;
  const size_t w = std::min<size_t>(cluster_.options().w, seats);
  for (const auto& entry : saw.counters().entries()) {
    uint64_t& known = on_enough_[{execution.slot, entry.actor, w}];
    for (; known < entry.counter; ++known) {
      const Dot dot{entry.actor, known + 1};
      const size_t copies = copies_.CountHad(execution.slot, dot);
      if (copies < w) return DescribeDot(dot) + ", which only " + std::to_string(copies) + " nodes ever had";
    }
  }
  return {};
}

void Checkers::CheckFresh(const Operation& operation) {
  SlotClock saw = operation.executions.back().before;
  if (operation.executions.back().made.counter != 0) saw.Advance(operation.executions.back().made);
  if (saw.CoversAll(operation.acknowledged_before)) return;
  Fail("fresh", Describe(operation) + " saw " + DescribeClock(saw) + " though " +
                    DescribeClock(operation.acknowledged_before) + " had been acknowledged before");
}

}  // namespace orrery::simulation

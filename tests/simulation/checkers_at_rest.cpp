// What must hold of a cluster that has healed and come to rest.

#include <algorithm>
#include <optional>

#include "orrery/base/numbers.h"
#include "orrery/storage/row_key.h"
#include "simulation/checkers.h"
#include "simulation/derived.h"
#include "simulation/describe.h"
#include "simulation/element_check.h"
#include "simulation/linearizability.h"
#include "simulation/queue_check.h"
#include "simulation/replay.h"
#include "simulation/sketch_check.h"

namespace orrery::simulation {

using causality::Dot;
using causality::SlotClock;
using replication::SlotReplica;

namespace {

// The sum that a row shows: its newest value and all increments.
int64_t CounterOf(const causality::Row& row) {
  const causality::Cell* newest = row.NewestValue();
  int64_t sum = newest == nullptr ? 0 : ParseInteger(newest->payload).value_or(0);
  for (const causality::Cell& cell : row.cells) {
    if (cell.kind == causality::CellKind::kIncrement) sum += ParseInteger(cell.payload).value_or(0);
  }
  return sum;
}

}  // namespace

std::string Checkers::NotConverged() {
  if (std::string unsettled = cluster_.Unsettled(); !unsettled.empty()) return unsettled;
  if (std::string not_met = cluster_.NotMet(); !not_met.empty()) return not_met;
  if (std::string not_settled = cluster_.NotSettled(); !not_settled.empty()) return not_settled;
  for (size_t node : cluster_.members()) {
    for (size_t loop = 0; loop < cluster_.node(node).loops(); ++loop) {
      const size_t pending = cluster_.node(node).loop(loop).shard().pending();
      if (pending > 0) return NodeName(node) + " still has commands under way";
    }
    for (const auto& [slot, dot] : HintsOf(node)) {
      return At(node, slot) + " still keeps a hint of " + DescribeDot(dot);
    }
  }
  for (SlotId slot : cluster_.slots()) {
    if (std::string not_seated = NotSeated(slot); !not_seated.empty()) return not_seated;
    const SlotReplica* first = nullptr;
    for (NodeId home : cluster_.Homes(slot)) {
      const size_t node = cluster_.IndexOf(home);
      static const SlotReplica kEmpty(0, nullptr, nullptr);
      const SlotReplica* replica = cluster_.node(node).ShardOf(slot).slots().Find(slot);
      if (replica == nullptr) replica = &kEmpty;
      if (first == nullptr) first = replica;
      // Floors that it raised in this turn are not in the books yet.
      if (books_[node].known[slot].clock != replica->clock()) return At(node, slot) + " is in the middle of a turn";
      if (cluster_.node(node).ShardOf(slot).catch_up().Merging(slot)) return At(node, slot) + " is still merging";
      if (replica->clock() != first->clock()) {
        return At(node, slot) + " is at " + DescribeClock(replica->clock()) + ", " +
               DescribeNode(cluster_.Homes(slot).front()) + " at " + DescribeClock(first->clock());
      }
      if (replica->digest() != first->digest() || !(replica->voided() == first->voided())) {
        return At(node, slot) + " has the same clock as the first home but not the same rows";
      }
    }
  }
  return NotDrained();
}

std::string Checkers::Names(const std::vector<NodeId>& nodes) {
  std::string names;
  for (const NodeId node : nodes) names += (names.empty() ? "" : " ") + NodeName(cluster_.IndexOf(node));
  return names;
}

// All know the same owners of the slot's seats: those that the ring wants, in service. Nobody else has rows.
std::string Checkers::NotSeated(SlotId slot) {
  const std::vector<NodeId> homes = cluster_.Homes(slot);
  const auto wanted = cluster_.ring().Homes(slot);
  // Seats are not taken away: where the ring has fewer nodes for the slot, the owners of the others keep theirs.
  const std::set<NodeId> owners(homes.begin(), homes.end());
  const std::set<NodeId> right(wanted.begin(), wanted.end());
  if (owners.size() < right.size() || !std::includes(owners.begin(), owners.end(), right.begin(), right.end()) ||
      (owners.size() > right.size() && right.size() >= cluster_.options().n)) {
    return "slot " + std::to_string(slot) + " has other homes than the ring wants: " + Names(homes) + " for " +
           Names({wanted.begin(), wanted.end()});
  }
  for (size_t node : cluster_.members()) {
    const replication::ShardContext& context = cluster_.node(node).ShardOf(slot).context();
    const auto known = context.Homes(slot);
    if (!std::equal(known.begin(), known.end(), homes.begin(), homes.end())) {
      return At(node, slot) + " knows other homes than the first member";
    }
    for (NodeId home : homes) {
      if (!context.InService(slot, home)) return At(node, slot) + " waits for " + DescribeNode(home);
    }
    // A fallback keeps what it made in place of homes, until the seats change.
    if (!context.seats.HasRecords(slot) || context.IsHome(slot)) continue;
    const SlotReplica* replica = cluster_.node(node).ShardOf(slot).slots().Find(slot);
    if (replica == nullptr) continue;
    const auto& entries = replica->clock().counters().entries();
    const bool stood_in = std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
      return entry.actor.node == cluster_.node(node).id();
    });
    if (replica->digest() != 0 && !stood_in) return At(node, slot) + " has rows though it is no home";
  }
  return {};
}

// Lives that are over are closed, and so nothing is voided any more. A node whose disk and clock were both set back may be in
// a life that comes before an earlier one; of that nobody can tell that it is over.
std::string Checkers::NotDrained() {
  for (SlotId slot : cluster_.slots()) {
    for (NodeId home : cluster_.Homes(slot)) {
      const size_t node = cluster_.IndexOf(home);
      const SlotReplica* replica = cluster_.node(node).ShardOf(slot).slots().Find(slot);
      if (replica == nullptr) continue;
      if (!replica->voided().empty()) return At(node, slot) + " still has something voided";
      for (const auto& entry : replica->clock().counters().entries()) {
        if (cluster_.node(cluster_.IndexOf(entry.actor.node)).incarnation() <= entry.actor.incarnation) continue;
        return At(node, slot) + " has not closed " + DescribeActor(entry.actor);
      }
    }
  }
  return {};
}

// What a floor stands for is covered; what it only passes over is not.
bool Checkers::Covers(const SlotReplica* replica, SlotId slot, const Dot& dot) const {
  return replica != nullptr && history_.Applied(slot, replica->clock()).Covers(dot);
}

// Power cuts have taken an earlier event of the same actor from every node that had it: nobody can ever apply
// this one.
bool Checkers::IsStranded(SlotId slot, const Dot& dot) const {
  const size_t home = cluster_.IndexOf(cluster_.Homes(slot).front());
  const SlotReplica* replica = cluster_.node(home).ShardOf(slot).slots().Find(slot);
  uint64_t counter = (replica == nullptr ? 0 : history_.Applied(slot, replica->clock()).Get(dot.actor)) + 1;
  for (; counter < dot.counter; ++counter) {
    if (copies_.Owing(slot, {dot.actor, counter}).empty()) return true;
  }
  return false;
}

void Checkers::CheckAtRest() {
  CheckRowsDeeply();
  CheckSurvivors();
  CheckCounters();
  CheckSketches();
  CheckElements();
  CheckQueues();
  CheckSiblings();
  CheckOrder();
  CheckDerived();
  if (expect_fresh_) CheckLinearizable();
  for (size_t node : cluster_.members()) {
    for (size_t loop = 0; loop < cluster_.node(node).loops(); ++loop) {
      if (cluster_.node(node).loop(loop).shard().stats().digest_mismatches == 0) continue;
      Fail("mismatch", NodeName(node) + " has met equal clocks with different digests");
    }
  }
}

void Checkers::CheckSurvivors() {
  // With every commit synced only an older disk can take what was acknowledged, and together with that of
  // another node a power cut.
  const bool always = cluster_.options().shard.sync == replication::SyncPolicy::kAlways &&
                      !cluster_.options().faults.contains("image");
  for (const auto& [id, operation] : operations_) {
    const Dot made = operation->promised;
    if (made.counter == 0) continue;
    const size_t home = cluster_.IndexOf(cluster_.Homes(operation->slot).front());
    const SlotReplica* replica = cluster_.node(home).ShardOf(operation->slot).slots().Find(operation->slot);
    if (Covers(replica, operation->slot, made)) continue;
    const auto owing = copies_.Owing(operation->slot, made);
    if ((owing.empty() || IsStranded(operation->slot, made)) && !always) {
      ++lost_excused_;  // every node that had it lost it to a power cut before it was on a disk
      continue;
    }
    std::string who;
    for (size_t node : owing) who += " " + NodeName(node);
    return Fail("survives", Describe(*operation) + " was acknowledged as " + DescribeDot(made) +
                                " and is lost, although no power cut took it from" +
                                (who.empty() ? " any disk" : who));
  }
}

// Keys "b..." are only ever incremented by one: value = number of INCR events below the clock.
void Checkers::CheckCounters() {
  for (SlotId slot : cluster_.slots()) {
    const size_t home = cluster_.IndexOf(cluster_.Homes(slot).front());
    const SlotReplica* replica = cluster_.node(home).ShardOf(slot).slots().Find(slot);
    if (replica == nullptr) continue;
    const auto expected = history_.At(slot, replica->clock());
    if (!expected) continue;
    for (const std::string& key : cluster_.KeysOf(slot)) {
      if (key[0] != 'b') continue;
      const std::string row_key = storage::EncodeRowKey({0, key, storage::RowTag::kString, {}});
      int64_t made = 0;
      for (const auto& [actor, events] : history_.actors(slot)) {
        for (const auto& event : events) {
          const bool ours = std::any_of(event.changes.begin(), event.changes.end(),
                                        [&](const auto& change) { return change.row_key == row_key; });
          if (ours && Covers(replica, slot, event.dot)) ++made;
        }
      }
      const auto row = expected->rows.find(row_key);
      const int64_t value = row == expected->rows.end() ? 0 : CounterOf(row->second);
      if (value != made) {
        Fail("counter",
             key + " is " + std::to_string(value) + " after " + std::to_string(made) + " increments");
      }
    }
  }
}

void Checkers::CheckSketches() {
  for (SlotId slot : cluster_.slots()) {
    const size_t home = cluster_.IndexOf(cluster_.Homes(slot).front());
    const SlotReplica* replica = cluster_.node(home).ShardOf(slot).slots().Find(slot);
    if (replica == nullptr) continue;
    for (const std::string& key : cluster_.KeysOf(slot)) {
      if (key[0] != 'j') continue;
      const std::string difference = SketchDifference(history_, slot, replica->clock(), key);
      if (!difference.empty()) Fail("sketch", difference);
    }
  }
}

void Checkers::CheckElements() {
  std::map<SlotId, std::vector<const Operation*>> by_slot;
  for (const auto& [id, operation] : operations_) {
    if (operation->args.size() > 1 && IsElementKind(operation->args[1][0])) by_slot[operation->slot].push_back(operation);
  }
  for (const auto& [slot, operations] : by_slot) {
    const size_t home = cluster_.IndexOf(cluster_.Homes(slot).front());
    const SlotReplica* replica = cluster_.node(home).ShardOf(slot).slots().Find(slot);
    if (replica == nullptr) continue;
    for (const std::string& key : cluster_.KeysOf(slot)) {
      if (!IsElementKind(key[0])) continue;
      const std::string difference = ElementDifference(history_, slot, replica->clock(), key, operations);
      if (!difference.empty()) Fail("elements", difference);
    }
  }
}

void Checkers::CheckQueues() {
  for (SlotId slot : cluster_.slots()) {
    const size_t home = cluster_.IndexOf(cluster_.Homes(slot).front());
    const SlotReplica* replica = cluster_.node(home).ShardOf(slot).slots().Find(slot);
    if (replica == nullptr) continue;
    for (const std::string& key : cluster_.KeysOf(slot)) {
      if (key[0] != 'k') continue;
      const std::string difference =
          QueueDifference(history_, slot, replica->clock(), key, operations_, expect_answers_);
      if (!difference.empty()) Fail("queue", difference);
    }
  }
}

// A replica that is fed all events in another order, each actor's in turn, has the same bytes.
void Checkers::CheckOrder() {
  for (SlotId slot : history_.slots()) {
    const SlotClock all = history_.Everything(slot);
    const auto expected = history_.At(slot, all);
    const std::optional<std::string> difference =
        ReplayInRandomOrder(history_, slot, *expected, &cluster_.random());
    if (difference) Fail("order", "slot " + std::to_string(slot) + ": " + *difference);
  }
}

namespace {

// The command as each of its keys sees it.
std::vector<std::pair<std::string, KeyStep>> StepsOf(const Operation& operation) {
  const std::vector<std::string>& args = operation.args;
  KeyStep step{operation.invoked_us, UINT64_MAX, args, ""};
  if (operation.response) step.replied_us = operation.replied_us;
  const bool said = operation.acknowledged();
  std::vector<std::pair<std::string, KeyStep>> steps;
  const auto add = [&](const std::string& key, std::vector<std::string> part, std::string reply) {
    step.args = std::move(part);
    step.reply = said ? std::move(reply) : "";
    steps.emplace_back(key, step);
  };
  if (args[0] == "MSET") {
    for (size_t i = 1; i + 1 < args.size(); i += 2) add(args[i], {"SET", args[i], args[i + 1]}, "+OK\r\n");
  } else if (args[0] == "DEL" && args.size() > 2) {
    for (size_t i = 1; i < args.size(); ++i) add(args[i], {"DEL", args[i]}, "");
  } else if (IsModelled(args[0])) {
    add(args[1], args, said ? operation.response->reply : "");
  }
  return steps;
}

}  // namespace

// Without faults the cluster is one Redis to its clients, key by key, through whatever node they come.
void Checkers::CheckLinearizable() {
  std::map<std::string, std::vector<KeyStep>> histories;
  for (const auto& [id, operation] : operations_) {
    for (auto& [key, step] : StepsOf(*operation)) {
      if (key[0] == 'a' || key[0] == 'b' || key[0] == 'e') histories[key].push_back(std::move(step));
    }
  }
  for (auto& [key, steps] : histories) {
    const std::string why = WhyNotLinearizable(std::move(steps), NodeClock::kEpochMs);
    if (!why.empty()) return Fail("linear", key + ": " + why);
  }
}

// What is derived from rows, event by event, is what the rows of now give.
void Checkers::CheckDerived() {
  for (size_t node : cluster_.members()) {
    for (SlotId slot : cluster_.slots()) {
      const std::string difference = DerivedDifference(cluster_.node(node).StoreOf(slot), slot);
      if (!difference.empty()) Fail("derived", At(node, slot) + " " + difference);
    }
  }
}

}  // namespace orrery::simulation

#include "simulation/queue_check.h"

#include <algorithm>
#include <set>
#include <utility>

#include "orrery/storage/row_key.h"
#include "simulation/describe.h"

namespace orrery::simulation {
namespace {

using causality::Event;
using causality::RowChange;

/// Whether the command hands on what it takes and replies it, instead of giving it away.
bool Rotates(const Operation& operation) {
  return operation.args[0] == "BLMOVE" || operation.args[0] == "BRPOPLPUSH";
}

bool Gives(const std::string& reply, const std::string& value) {
  return reply.find("$" + std::to_string(value.size()) + "\r\n" + value + "\r\n") != std::string::npos;
}

/// Whether the client was told what became of its command.
bool ClientKnows(const Operation& operation) {
  const Call& call = *operation.caller;
  return !call.given_up && call.reply && !call.reply->starts_with("-UNKNOWN");
}

class Queue {
 public:
  Queue(const History& history, SlotId slot, const causality::SlotClock& clock, const std::string& key,
        const std::map<uint64_t, Operation*>& operations)
      : prefix_(storage::TagPrefix(0, key, storage::RowTag::kList)) {
    for (const auto& [id, operation] : operations) {
      if (operation->slot != slot) continue;
      for (const Execution& execution : operation->executions) {
        if (execution.made.counter != 0) makers_[execution.made] = operation;
      }
    }
    for (const auto& [actor, events] : history.actors(slot)) {
      for (const Event& event : events) {
        if (clock.Covers(event.dot)) events_.push_back(&event);
      }
    }
  }

  std::string Difference(bool faultless) {
    ForEachChange([this](const Event&, const RowChange& change) {
      if (!change.added.empty()) values_[change.row_key] = change.added.front().payload;
    });
    std::string difference;
    ForEachChange([&](const Event& event, const RowChange& change) {
      if (difference.empty() && change.added.empty()) difference = CheckRemoval(event, change);
    });
    if (!difference.empty() || !faultless) return difference;
    for (const auto& [value, times] : given_) {
      if (times > 1)
        return value + " was given " + std::to_string(times) + " times though nothing had failed";
    }
    return {};
  }

 private:
  template <typename Visitor>
  void ForEachChange(const Visitor& visit) const {
    for (const Event* event : events_) {
      for (const RowChange& change : event->changes) {
        if (change.row_key.starts_with(prefix_)) visit(*event, change);
      }
    }
  }

  std::string CheckRemoval(const Event& event, const RowChange& change) {
    const auto found = values_.find(change.row_key);
    const auto maker = makers_.find(event.dot);
    // A power cut may have taken the event that made the row, or nobody knows any more who asked for this
    // one.
    if (found == values_.end() || maker == makers_.end()) return {};
    const std::string& value = found->second;
    const Operation& operation = *maker->second;
    if (!removed_by_.emplace(change.row_key, event.dot.actor).second) {
      return value + " was removed twice by " + DescribeDot(event.dot);
    }
    if (Rotates(operation)) {
      const bool moved = std::any_of(event.changes.begin(), event.changes.end(), [&](const RowChange& other) {
        return !other.added.empty() && other.added.front().payload == value;
      });
      return moved ? std::string() : value + " was lost by " + Describe(operation);
    }
    if (!ClientKnows(operation)) return {};
    if (!Gives(*operation.caller->reply, value)) {
      return value + " was removed but not given by " + Describe(operation);
    }
    ++given_[value];
    return {};
  }

  const std::string prefix_;
  std::map<causality::Dot, const Operation*> makers_;
  std::vector<const Event*> events_;
  std::map<std::string, std::string> values_;  // by row key
  std::set<std::pair<std::string, causality::Actor>> removed_by_;
  std::map<std::string, uint64_t> given_;
};

}  // namespace

std::string QueueDifference(const History& history, SlotId slot, const causality::SlotClock& clock,
                            const std::string& key, const std::map<uint64_t, Operation*>& operations,
                            bool faultless) {
  std::string difference = Queue(history, slot, clock, key, operations).Difference(faultless);
  return difference.empty() ? difference : key + ": " + difference;
}

}  // namespace orrery::simulation

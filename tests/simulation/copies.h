#pragma once

#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "orrery/base/slot.h"
#include "orrery/causality/slot_clock.h"

namespace orrery::simulation {

/// Which node has, or has had, which event, by its slot clock or as a hint. Two books: `had` never forgets,
/// and says how many copies there were when a client was answered; `owes` forgets only what a crash took, and
/// says who must still be able to account for an event.
class Copies {
 public:
  explicit Copies(size_t nodes) : nodes_(nodes) {}

  /// `applied`: History::Applied of its clock.
  void HasClock(size_t node, SlotId slot, const causality::VersionVector& applied);
  using IsPassedOn = std::function<bool(SlotId, const causality::Dot&)>;
  /// All hints that a loop of the node keeps now, of all its slots. is_passed_on tells of one that it keeps no more whether
  /// another node has the event on its disk, and so the debt.
  void HasHints(size_t node, size_t loop, const std::set<std::pair<SlotId, causality::Dot>>& hints,
                const IsPassedOn& is_passed_on);
  /// The node has started anew and this is what its disk had kept of the slot.
  void RestartedWithClock(size_t node, SlotId slot, const causality::VersionVector& applied);
  void RestartedWithHints(size_t node,
                          const std::vector<std::set<std::pair<SlotId, causality::Dot>>>& hints_by_loop);

  /// The node owes nothing from now on, whatever it still has.
  void Dismiss(size_t node);

  /// Nodes that had the event at some time.
  size_t CountHad(SlotId slot, const causality::Dot& dot) const;
  /// How many nodes owe all of that by their clocks.
  size_t CountOwing(SlotId slot, const causality::VersionVector& counters) const;
  /// Nodes that have had it and have not lost it in a crash.
  std::vector<size_t> Owing(SlotId slot, const causality::Dot& dot) const;

 private:
  struct Book {
    std::map<SlotId, causality::VersionVector> clocks;
    std::set<std::pair<SlotId, causality::Dot>> hints;

    bool Has(SlotId slot, const causality::Dot& dot) const;
  };
  struct Node {
    Book had;
    Book owes;
    bool dismissed = false;
    std::map<size_t, std::set<std::pair<SlotId, causality::Dot>>> hints_now;  ///< by loop
  };
  std::vector<Node> nodes_;
};

}  // namespace orrery::simulation

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "simulation/cluster.h"
#include "simulation/copies.h"
#include "simulation/operation.h"

namespace orrery::simulation {

/// Watches a cluster and fails it as soon as a promise is broken. The names are those of docs/simulation.md:
/// once, exact, voided, monotone, contiguous, copies, survives, fresh, converge, counter, sketch, queue,
/// mismatch, order, available, derived, linear, refused, twice, closed, bounded, drained, dropped, left,
/// seated.
class Checkers final : public ClusterWatcher {
 public:
  explicit Checkers(Cluster* cluster);

  // What happens.
  void AfterTurn(Port port) override;
  void OnExecution(size_t node, const Execution& execution) override;
  void OnSend(size_t node, std::string_view frame) override;
  void BeforeCrash(size_t node) override;
  void AfterStart(size_t node) override;
  void OnDiskGone(size_t node) override;
  void OnLeft(size_t node) override;
  void OnInvoke(Operation* operation);
  /// Called while the entry node's turn ends.
  void OnReply(Operation* operation) { replied_.push_back(operation); }

  /// Every row of every replica, byte by byte.
  void CheckRowsDeeply();
  /// Nothing is missing anywhere: empty; else what is.
  std::string NotConverged();
  /// After NotConverged() is empty: what must hold of a cluster at rest.
  void CheckAtRest();

  const History& history() const { return history_; }
  const std::map<uint64_t, Operation*>& operations() const { return operations_; }
  uint64_t acknowledged() const { return acknowledged_count_; }
  uint64_t lost_excused() const { return lost_excused_; }
  /// No fault can happen in this run: freshness is promised.
  void ExpectFresh() { expect_fresh_ = true; }
  /// Nor can anything be refused.
  void ExpectAnswers() { expect_answers_ = true; }

 private:
  struct Known {
    causality::SlotClock clock;
    uint64_t digest = 0;
    size_t voided = 0;
    uint64_t corrupt_slots = 0;
    uint64_t dropped_slots = 0;
  };
  struct HintCounts {
    uint64_t stored = 0;
    uint64_t total = 0;
    bool operator==(const HintCounts&) const = default;
  };
  struct NodeBook {
    bool started = false;
    std::map<SlotId, Known> known;
    std::map<size_t, HintCounts> hints;              ///< by loop
    std::map<size_t, size_t> backlog_bytes;          ///< by loop
    std::map<SlotId, uint64_t> committed;            ///< own counters
    std::map<SlotId, replication::SlotImage> aside;  ///< damaged slots: what of them can be read
  };

  void RecordOwn(size_t node, SlotId slot, const replication::SlotReplica& replica);
  void CheckSeats(size_t node, SlotId slot, const causality::SlotClock& clock);
  void CheckDrop(size_t node, SlotId slot, const causality::SlotClock& had);
  void CheckReplica(size_t node, SlotId slot, const replication::SlotReplica& replica);
  void NoteDamage(size_t node, SlotId slot, const replication::SlotReplica& replica);
  bool IsDestroyed(size_t node, SlotId slot, const replication::SlotReplica& replica,
                   const Expected& expected);
  bool IsReadableAnywhere(size_t node, SlotId slot, const std::string& row_key, const causality::Dot& dot);
  void CheckFloors(size_t node, SlotId slot, const replication::SlotReplica& replica);
  void CheckClosed(size_t node, SlotId slot, const causality::Actor& actor);
  void CheckBounds(Port port);
  void CheckSiblings();
  void CheckHints(Port port);
  bool IsOnADisk(SlotId slot, const causality::Dot& dot);
  void CheckReply(Operation* operation);
  std::string NotOnEnough(const Execution& execution);
  void CheckFresh(const Operation& operation);
  void CheckSurvivors();
  void CheckCounters();
  void CheckSketches();
  void CheckElements();
  void CheckQueues();
  void CheckOrder();
  void CheckDerived();
  void CheckLinearizable();
  std::set<std::pair<SlotId, causality::Dot>> HintsOf(Port port);
  std::set<std::pair<SlotId, causality::Dot>> HintsOf(size_t node);
  std::string NotDrained();
  std::string NotSeated(SlotId slot);
  std::string Names(const std::vector<NodeId>& nodes);
  bool Covers(const replication::SlotReplica* replica, SlotId slot, const causality::Dot& dot) const;
  bool IsStranded(SlotId slot, const causality::Dot& dot) const;
  std::string At(size_t node, SlotId slot);
  void Fail(const std::string& checker, const std::string& what) { cluster_.Fail(checker + ": " + what); }

  Cluster& cluster_;
  History history_;
  Copies copies_;
  std::vector<NodeBook> books_;
  std::map<uint64_t, Operation*> operations_;
  std::map<SlotId, causality::SlotClock> acknowledged_;
  std::set<std::pair<SlotId, causality::Dot>> acknowledged_dots_;
  /// A seat that was given to somebody: slot, seat, version, owner; and what its giver had then, until the
  /// owner serves.
  using GivenSeat = std::tuple<SlotId, uint8_t, uint64_t, NodeId>;
  struct Promise {
    NodeId giver;
    std::optional<causality::VersionVector> clock;
  };
  std::map<GivenSeat, Promise> given_seats_;
  std::set<NodeId> lost_disks_;
  std::map<std::tuple<SlotId, causality::Actor, size_t>, uint64_t> on_enough_;
  std::vector<Operation*> replied_;
  uint64_t acknowledged_count_ = 0;
  uint64_t lost_excused_ = 0;
  bool expect_fresh_ = false;
  bool expect_answers_ = false;
};

}  // namespace orrery::simulation

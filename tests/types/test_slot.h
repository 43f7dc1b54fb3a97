#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "orrery/causality/event.h"
#include "orrery/causality/slot_clock.h"
#include "orrery/causality/voided_set.h"
#include "orrery/replication/slot_replica.h"
#include "orrery/storage/memory_row_store.h"
#include "orrery/storage/row_observer.h"
#include "orrery/storage/transaction.h"

namespace orrery::types {

/// One replica of one slot without network or quorums: runs commands as their coordinator, applies its own
/// events and those of other replicas as a SlotReplica does, and tells an observer of every change. Time
/// moves only when a test moves it.
class TestSlot {
 public:
  /// node: names the replica; replicas of one slot that talk to each other need different ones.
  explicit TestSlot(uint64_t node = 1, SlotId slot = 7);
  ~TestSlot();

  using Command = std::function<void(storage::Transaction& transaction)>;
  /// Runs the command and applies its event; nullopt if it changed nothing.
  std::optional<causality::Event> Run(const Command& command);
  /// An event of another replica. Duplicates are ignored; one that comes early breaks a check.
  void Apply(const causality::Event& event);

  causality::Row Row(std::string_view row_key) const;
  /// Everything in a table, as one text: equal texts, equal tables.
  std::string Dump(storage::Table table) const;

  void set_now_ms(uint64_t now_ms) { now_ms_ = now_ms; }
  uint64_t now_ms() const { return now_ms_; }
  void Advance(uint64_t ms) { now_ms_ += ms; }
  /// From now on increments start new births.
  void RaiseBirthFloor() { birth_floor_ = clock().Get(actor_); }
  /// As homes agree to do when the node has begun a new life: the clock keeps one floor for all lives up to
  /// this one.
  void CloseLivesOf(const causality::Actor& actor) {
    replica_->CloseLives(actor.node, actor.incarnation + 1);
  }
  /// Starts anew, under the next incarnation.
  void BeginNewLife() {
    ++actor_.incarnation;
    birth_floor_ = 0;
  }
  /// All lives of this node before the present one.
  void CloseEarlierLives() { replica_->CloseLives(actor_.node, actor_.incarnation); }
  /// What may be folded; nothing without it.
  void set_folding(const storage::FoldRule* folding) { folding_ = folding; }
  /// Called inside Apply, too.
  void set_observer(storage::RowObserver* observer);

  const causality::SlotClock& clock() const { return replica_->clock(); }
  const causality::VoidedSet& voided() const { return replica_->voided(); }
  const replication::SlotReplica& replica() const { return *replica_; }
  causality::Actor actor() const { return actor_; }
  SlotId slot() const { return slot_; }
  storage::RowStore& store() { return *store_; }
  const storage::RowStore& store() const { return *store_; }

 private:
  class Observer;

  SlotId slot_;
  causality::Actor actor_;
  storage::MemoryDatabase database_;
  std::unique_ptr<storage::RowStore> store_;
  std::unique_ptr<Observer> observer_;
  std::unique_ptr<replication::SlotReplica> replica_;
  uint64_t now_ms_ = 1'700'000'000'000;
  causality::HybridTime hlc_ = 0;
  uint64_t birth_floor_ = 0;
  const storage::FoldRule* folding_ = nullptr;
};

}  // namespace orrery::types

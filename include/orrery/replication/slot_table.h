#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "orrery/replication/ended_lives.h"
#include "orrery/replication/foreign_changes.h"
#include "orrery/replication/slot_replica.h"
#include "orrery/replication/slot_set.h"

namespace orrery::replication {

/// The slots of one shard, loaded from the store at start, and which of them the turn has changed. One loop.
class SlotTable {
 public:
  SlotTable(storage::RowStore* store, storage::RowObserver* observer, size_t backlog_bytes_max, size_t loop_index = 0)
      : store_(store),
        observer_(observer),
        slots_(kSlotCount),
        budget_(backlog_bytes_max),
        journal_(store, loop_index, kJournalBytesMax) {}

  /// Loads every slot that the store has and that owns(slot) accepts, in one walk. Corrupt ones, and those that have lost
  /// something with table files, are listed, and why.
  template <typename Owns>
  Status LoadAll(const Owns& owns, std::vector<std::pair<SlotId, Status>>* corrupt) {
    const auto losses = LoadLosses(*store_);
    if (!losses.ok()) return losses.status();
    const StoredStates states(*store_);
    for (SlotId slot = 0; slot < kSlotCount; ++slot) {
      if (!owns(slot)) continue;
      const auto loss = losses->find(slot);
      if (Status s = LoadOne(slot, states, loss == losses->end() ? nullptr : &loss->second, corrupt); !s.ok()) return s;
    }
    return Status::Ok();
  }

  /// Made empty on first use.
  SlotReplica& At(SlotId slot);
  /// nullptr if nothing was ever in it.
  SlotReplica* Find(SlotId slot) { return slots_[slot].get(); }
  const SlotReplica* Find(SlotId slot) const { return slots_[slot].get(); }
  /// Asks for the memory that Find looks at.
  void PrefetchFind(SlotId slot) const { PrefetchBytes(&slots_[slot], sizeof(slots_[slot])); }
  /// Slots that have ever held something, ascending.
  const std::set<SlotId>& known() const { return known_; }

  /// Changes are noted there from now on. Not owned; nullptr: nobody asks.
  void CountForeign(ForeignChanges* foreign) { foreign_ = foreign; }
  /// Applies to the replica and accounts for its backlog. by: who sent it; zero: it came otherwise.
  [[nodiscard]] Status Apply(const causality::Event& event, const causality::EventPtr& encoded, NodeId by = {});
  /// The same, of the event's bytes. kInvalid: they are malformed, and nothing was done.
  [[nodiscard]] Status Apply(const causality::EventPtr& encoded, NodeId by = {});
  /// As SlotReplica::ApplyOwn where that is allowed, else as Apply.
  [[nodiscard]] Status ApplyOwn(const causality::Event& event, const std::vector<storage::RowUpdate>& rows,
                                const causality::EventPtr& encoded);
  /// SlotReplica::SetAside; its backlog counts no more.
  void SetAside(SlotId slot);
  /// The slot is somebody else's now: empties it, in the pending batch.
  void Drop(SlotId slot);
  /// Puts events that an earlier backlog had into the present one; those that are lacking are applied.
  [[nodiscard]] Status Replay(SlotId slot, const std::vector<causality::EventPtr>& events);
  /// SlotReplica::CloseLives for each of the nodes.
  void CloseLives(SlotId slot, const EndedLives& lives);
  /// The slot changes in this turn; by an event that `by` has made and sent, or otherwise.
  void Touch(SlotId slot, NodeId by = {}) {
    touched_.Insert(slot);
    if (foreign_ != nullptr) foreign_->Note(slot, by);
  }
  /// Whether this turn has changed it and not saved it yet.
  bool IsTouched(SlotId slot) const { return touched_.Contains(slot); }
  /// Saves the clocks of the slots that changed in this turn, and says which.
  void SaveTouched(std::vector<SlotId>* touched);
  /// Trims the backlogs; an own event that is not on W nodes stays. count_copies: is asked to look whether more than the
  /// commit point says are.
  void TrimBacklogs(const causality::Actor& self, const std::function<void(SlotId)>& count_copies);
  size_t backlog_bytes() const { return budget_.bytes(); }

 private:
  /// Some hundred thousand states: by the time that a record is dropped, nearly all of its slots are in later ones.
  static constexpr size_t kJournalBytesMax = 8 << 20;

  /// The slots' own values, read in one walk as far as they can be.
  class StoredStates {
   public:
    explicit StoredStates(const storage::RowStore& store);
    /// nullptr: there is none; REQUIRES: IsKnown(slot).
    const std::string* Find(SlotId slot) const;
    /// False behind damage that ended the walk.
    bool IsKnown(SlotId slot) const { return slot < end_; }

   private:
    std::map<SlotId, std::string> states_;
    uint32_t end_ = 0;
  };

  /// Towards the event that TrimBacklogs drops; one of BacklogBudget's steps.
  void PrefetchOldest(SlotId slot, size_t step) const;
  Status DecodeAndApply(const causality::EventPtr& encoded, NodeId by, causality::Event* memory);
  Status LoadOne(SlotId slot, const StoredStates& states, const SlotLoss* loss,
                 std::vector<std::pair<SlotId, Status>>* corrupt);

  storage::RowStore* store_;
  storage::RowObserver* observer_;
  std::vector<std::unique_ptr<SlotReplica>> slots_;
  std::set<SlotId> known_;
  SlotSet touched_;
  ForeignChanges* foreign_ = nullptr;
  BacklogBudget budget_;
  SlotJournal journal_;
  std::vector<SlotId> dirty_;  ///< memory of SaveTouched
  causality::Event event_;     ///< memory of Apply
};

}  // namespace orrery::replication

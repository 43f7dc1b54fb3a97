#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/base/slot.h"
#include "orrery/storage/row_store.h"

namespace orrery::replication {

/// How the states of slots (clock, voided set, digest, counts) get into the store. A busy turn changes hundreds of slots a
/// little: their states go into one record of a journal, one write instead of hundreds. Records are dropped oldest first
/// once the journal is long; a slot that has not been in a later record gets a value of its own then
/// (docs/row-format.md). All writes go into the store's pending batch, with the rows that they belong to.
///
/// One per shard, on its loop. At a start the journals of all loops are folded into the slots' own values before any loop
/// opens, since another loop may own a slot now: FoldSlotJournals.
class SlotJournal {
 public:
  /// What a slot's own value says: its state, and up to which record of the journal it replaces the slot's states there.
  struct Own {
    uint64_t as_of = 0;
    std::string_view state;
  };
  /// nullopt for bytes that PutOwn never wrote. The view points into bytes.
  static std::optional<Own> ParseOwn(std::string_view bytes);

  SlotJournal(storage::RowStore* store, size_t loop_index, size_t bytes_max);

  /// At load: records of this life come after everything that the slot's own value replaces.
  void StartAfter(uint64_t as_of) { sequence_ = std::max(sequence_, as_of); }

  /// The turn's states, each slot once; state(slot, &bytes) appends its bytes. Few go into their own values,
  /// many into a record.
  template <typename State>
  void Save(const std::vector<SlotId>& slots, const State& state) {
    if (slots.size() <= kOwnMax) {
      for (SlotId slot : slots) PutOwn(slot, Gather(state, slot));
      return;
    }
    BeginRecord();
    for (SlotId slot : slots) AddToRecord(slot, Gather(state, slot));
    EndRecord();
    while (bytes_ > bytes_max_) {
      for (SlotId slot : DropOldest()) PutOwn(slot, Gather(state, slot));
    }
  }

  size_t bytes() const { return bytes_; }

 private:
  /// For so many slots a record would cost more than it saves.
  static constexpr size_t kOwnMax = 1;

  struct Record {
    uint64_t sequence = 0;
    size_t bytes = 0;
    std::vector<SlotId> slots;
  };

  /// Until the next call.
  template <typename State>
  std::string_view Gather(const State& state, SlotId slot) {
    gathered_.clear();
    state(slot, &gathered_);
    return gathered_;
  }

  void PutOwn(SlotId slot, std::string_view state);
  void BeginRecord();
  void AddToRecord(SlotId slot, std::string_view state);
  void EndRecord();
  /// Its slots that no later record has.
  std::vector<SlotId> DropOldest();

  storage::RowStore* store_;
  size_t loop_index_;
  size_t bytes_max_;
  uint64_t sequence_ = 0;
  size_t bytes_ = 0;
  std::deque<Record> records_;
  std::vector<uint64_t> latest_;  ///< by slot: the record that has its newest state; 0: its own value does
  std::string buffer_;            ///< memory of the record that is being made
  std::string gathered_;          ///< and of a slot's state
};

/// Moves the newest state of every slot from the journals into its own value and drops the journals, in one commit. To be
/// called at every start, before the shards open. After a record that cannot be read, every slot counts as damaged.
[[nodiscard]] Status FoldSlotJournals(storage::RowStore* store);
/// Whether FoldSlotJournals has nothing to do.
Result<bool> HasSlotJournals(const storage::RowStore& store);

}  // namespace orrery::replication

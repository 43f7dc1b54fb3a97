#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orrery/base/prefetch.h"
#include "orrery/base/status.h"
#include "orrery/causality/event.h"
#include "orrery/causality/merge.h"
#include "orrery/causality/replacement.h"
#include "orrery/replication/backlog.h"
#include "orrery/replication/slot_image.h"
#include "orrery/replication/slot_journal.h"
#include "orrery/replication/slot_loss.h"
#include "orrery/storage/row_key.h"
#include "orrery/storage/row_observer.h"
#include "orrery/storage/row_store.h"
#include "orrery/storage/stored_row.h"

namespace orrery::replication {

/// Told of each local change of a row before it happens, while a merge compares the rows with a peer's.
class RowWatch {
 public:
  virtual ~RowWatch() = default;
  virtual void OnRowChange(std::string_view row_key, const causality::Row& before) = 0;
  /// All rows of the range go, unread.
  virtual void OnRangeErased(const KeyRange& range) = 0;
};

/// One slot of one replica: its clock, voided set and digest in memory, its rows in the store, and the two
/// ways they change, which keep rows, clock and voided set in one batch (DESIGN: the slot clock and the one
/// merge rule). Owned by the loop of the slot. kCorruption from any call means that stored bytes are
/// unreadable: SetAside, and make the slot anew from what other replicas have (SlotRepair).
class SlotReplica {
 public:
  /// So many bytes from the begin are needed for an event.
  static constexpr size_t kHotBytes = 6 * kCacheLineBytes;

  SlotReplica(SlotId id, storage::RowStore* store, storage::RowObserver* observer)
      : id_(id), store_(store), observer_(observer) {}

  /// Reads the slot's own value; an absent slot is empty.
  [[nodiscard]] Status Load();
  /// Load with the value at hand.
  [[nodiscard]] Status LoadFrom(std::string_view own_value);
  /// After loading: kCorruption if anything of the slot is gone with that, so that it has to be set aside.
  [[nodiscard]] Status NoteLoss(const SlotLoss& loss);
  /// Up to which record of the journal the value that was loaded counts.
  uint64_t state_as_of() const { return state_as_of_; }
  /// Clock, voided set, digest and counts, for the store.
  std::string State() const;
  void AppendState(std::string* bytes) const;
  /// Whether the state has changed since this was last asked.
  bool TakeDirty() { return std::exchange(dirty_, false); }

  enum class Fit { kNext, kDuplicate, kGap };
  /// Where the event stands to the prefix property: only kNext may be applied.
  Fit Classify(const causality::Dot& dot) const;
  /// REQUIRES: Classify(event.dot) == kNext. `encoded` goes to the backlog; null: nobody will ask for it.
  [[nodiscard]] Status Apply(const causality::Event& event, const causality::EventPtr& encoded);
  /// Apply of an event that is a replacement, where the row is just the value that it removes and nothing but
  /// row, clock and digest changes by it: bytes in the place of bytes, nothing is decoded. False: nothing was
  /// done, it takes Apply. REQUIRES: as Apply; `event` read off encoded's bytes.
  [[nodiscard]] bool TryReplace(const causality::Replacement& event, const causality::EventPtr& encoded);
  /// Apply for the event that a transaction on this replica has just made, with what it knows of the rows: no
  /// row is read again. REQUIRES: as Apply; no scopes; rows as TakeEvent gave them, and nothing applied since
  /// they were read.
  [[nodiscard]] Status ApplyOwn(const causality::Event& event, const std::vector<storage::RowUpdate>& rows,
                                const causality::EventPtr& encoded);
  /// Takes over a peer's image by the merge rule, in the pending batch. REQUIRES: no holes in it.
  [[nodiscard]] Status Merge(const SlotImage& theirs) { return Merge(theirs, {KeyRange{}}); }
  /// The same where only the ranges of `where` (ascending, not meeting) were sent: `theirs` has all their
  /// rows in these. REQUIRES: all other rows are, here and now, just what they are in the image.
  [[nodiscard]] Status Merge(const SlotImage& theirs, const std::vector<KeyRange>& where);
  /// Until the next call; nullptr: nobody.
  void Watch(RowWatch* watch) { watch_ = watch; }
  /// What is committed now. REQUIRES: nothing pending in the store.
  [[nodiscard]] Result<SlotImage> Image() const;
  /// After damage: from now on the replica has nothing, by its clock, and takes nothing, until Replace. What
  /// was stored stays in the store, with the clock that it had, for Remains and for a later start; what was
  /// done by halves is noted beside it, in the pending batch.
  void SetAside();
  bool is_aside() const { return is_aside_; }
  /// What was set aside, without its rows; nullptr if even its clock could not be read.
  const SlotImage* aside() const { return aside_ ? &*aside_ : nullptr; }
  /// Ranges of rows that are lost, or that an event has changed in part: whatever the store shows there, the
  /// clock does not tell of it. Holes, whoever gets an image of what was set aside.
  const std::vector<KeyRange>& unknown_rows() const { return unknown_rows_; }
  /// What can be read of it, holes and all. REQUIRES: aside(). Errors are the disk's.
  [[nodiscard]] Result<SlotImage> Remains() const;
  /// The image becomes all that there is of the slot, in the pending batch, and the replica is in service
  /// again. REQUIRES: no holes in it.
  [[nodiscard]] Status Replace(const SlotImage& image);
  /// Makes all that is not rows anew from the rows that can be read, in the pending batch: for the only home,
  /// which has nobody to ask. Of a clock that could not be read, too; then what was removed last is not known
  /// to have been.
  [[nodiscard]] Status Rebuild();
  bool is_loaded() const { return loaded_; }
  bool has_loss() const { return has_loss_; }
  /// Empties everything, own counters included, in the pending batch.
  void Reset();
  /// An event or a merge has failed. If it had changed anything, that is not what the clock says any more.
  void NoteHalfApplied(const causality::Event& event);
  void NoteHalfMerged();
  /// What is stored can be read, and is wrong.
  void Disbelieve();
  /// Since then; until the slot is made anew.
  bool is_half_done() const { return half_done_; }
  /// Raises a floor: the node's lives below the incarnation are closed here.
  void CloseLives(NodeId node, uint64_t incarnation);

  SlotId id() const { return id_; }
  const causality::SlotClock& clock() const { return clock_; }
  const causality::VoidedSet& voided() const { return voided_; }
  /// What is known to be on disk; hints for what it covers may be dropped.
  const causality::SlotClock& synced() const { return synced_; }
  /// A sync that began before a Reset says nothing about what came after it.
  void MarkSynced(const causality::SlotClock& clock) {
    if (clock_.CoversEveryDotOf(clock)) synced_.Join(clock);
  }
  /// Sum of a hash of every row; with equal clocks, equal on all replicas.
  uint64_t digest() const { return digest_; }
  uint64_t row_count() const { return row_count_; }
  /// Of them, rows of collections: where there are none, a key is its string row.
  uint64_t collection_rows() const { return collection_rows_; }
  causality::HybridTime newest() const { return newest_; }

  Backlog& backlog() { return backlog_; }
  const Backlog& backlog() const { return backlog_; }
  /// Asks for the memory that dropping from the backlog needs.
  void PrefetchBacklog() const {
    PrefetchBytes(&committed_, sizeof(committed_));
    PrefetchBytes(&backlog_, sizeof(backlog_));
  }

  /// Highest counters known to be on W nodes; from the coordinators' frames, lost at restart, never too high.
  causality::VersionVector& committed() { return committed_; }

 private:
  bool DecodeOwn(std::string_view bytes);
  void Forget();
  Status ApplyScopes(const causality::Event& event);
  Status ApplyScope(const causality::ScopeRemoval& scope);
  Status EraseUnder(std::string_view prefix);
  Status EraseKeys(std::string_view prefix);
  Status EraseKey(std::string_view key_prefix);
  Status EraseTag(std::string_view key_prefix, storage::RowTag tag);
  Status EraseRows(std::string_view prefix);
  void EraseAllRows();
  Status ApplyChanges(const causality::Event& event);
  struct KeyedUpdate;
  Status MergeRange(const SlotImage& theirs, const KeyRange& range, std::vector<KeyedUpdate>* updates) const;
  void NoteApplied(const causality::Event& event, const causality::EventPtr& encoded);
  void NoteAdvanced(const causality::Dot& dot, causality::HybridTime hlc, const causality::EventPtr& encoded);
  Status WriteRows(const std::vector<KeyedUpdate>& updates);
  Status WriteRow(std::string_view row_key, const storage::StoredRow& before, const causality::Row& after);

  // What every event needs stands first, in kHotBytes.
  SlotId id_;
  storage::RowStore* store_;
  storage::RowObserver* observer_;
  causality::SlotClock clock_;
  causality::VersionVector committed_;
  Backlog backlog_;
  uint64_t digest_ = 0;
  uint64_t row_count_ = 0;
  uint64_t collection_rows_ = 0;
  causality::HybridTime newest_ = 0;
  bool dirty_ = false;
  bool has_written_ = false;  ///< anything, since the last event or merge was begun
  bool is_aside_ = false;
  bool loaded_ = true;  ///< false: the stored clock could not be read
  bool half_merged_ = false;
  bool half_done_ = false;  ///< rows and clock belong together no more, and it was not a lost file
  bool has_loss_ = false;   ///< noted in the store
  RowWatch* watch_ = nullptr;
  causality::VoidedSet voided_;

  causality::SlotClock synced_;
  uint64_t state_as_of_ = 0;
  std::vector<KeyRange> unknown_rows_;
  std::optional<SlotImage> aside_;
  std::string aside_state_;  ///< what State() was, and is until Replace
};

}  // namespace orrery::replication

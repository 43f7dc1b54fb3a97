#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orrery/base/status.h"
#include "orrery/causality/event.h"
#include "orrery/causality/slot_clock.h"
#include "orrery/storage/row_store.h"
#include "orrery/storage/stored_row.h"

namespace orrery::storage {

/// Which increments of this node may be folded into a later one of its own (docs/data-model.md). Owned by the
/// coordinator.
class FoldRule {
 public:
  virtual ~FoldRule() = default;
  struct Foldable {
    /// Every home is known to have every own birth up to this counter: whoever removes what it sees, sees
    /// those.
    uint64_t births_everywhere = 0;
    /// Every earlier life of this node is closed, here and at every home: none of its increments can change
    /// any more, and no earlier life has folded them without our knowing.
    bool closed_lives = false;
  };
  virtual Foldable FoldableIn(SlotId slot) const = 0;
};

/// What one command sees and does: reads rows of one slot, gathers removals and additions, and becomes one
/// event. The rows read include the command's own changes; nothing touches the store. The coordinator applies
/// the event afterwards, by the same rule as every replica.
///
/// Lives on the stack of one command, on the slot's loop. Row keys are storage::EncodeRowKey without the slot.
/// A row that cannot be read sets status() and reads as empty: the coordinator then discards reply and event.
class Transaction {
 public:
  /// Everything that is fixed before the command runs.
  struct Context {
    SlotId slot = 0;
    /// The slot's clock just before the event.
    const causality::SlotClock* clock = nullptr;
    /// The dot and hybrid time that the event will have.
    causality::Dot dot;
    causality::HybridTime hlc = 0;
    /// The coordinator's wall clock: the instant by which expiry is judged.
    uint64_t now_ms = 0;
    /// Increments born at or before this counter are not continued: the homes in reach have changed since.
    uint64_t birth_floor = 0;
    /// False only if the slot has no row of a collection, so that whoever wants a string need not look for one.
    bool slot_has_collections = true;
    /// nullptr: nothing is folded.
    const FoldRule* folding = nullptr;
  };

  Transaction(const RowStore& store, const Context& context) : store_(store), context_(context) {}

  const Context& context() const { return context_; }
  uint64_t now_ms() const { return context_.now_ms; }
  /// Whether the slot, or what this command made or brought along, may have rows of collections.
  bool MayHaveCollections() const { return context_.slot_has_collections || own_collections_; }

  /// The row as this command sees it; empty if there is none. The reference lives until the row is next changed.
  const causality::Row& Get(std::string_view row_key);
  /// Calls visit for each row under the prefix, in order, from `from` on (empty: from the start), own changes included,
  /// until it returns false. visit must not change rows.
  using Visitor = std::function<bool(std::string_view row_key, const causality::Row& row)>;
  void Scan(std::string_view prefix, std::string_view from, const Visitor& visit);
  /// As Scan, of rows that show a value, without taking apart those that are nothing else: nearly all.
  struct ShownRow {
    std::optional<std::string_view> value;  ///< of a row that is one value, which then shows
    const causality::Row* row = nullptr;    ///< any other row
  };
  using ShownVisitor = std::function<bool(std::string_view row_key, const ShownRow& shown)>;
  void ScanShown(std::string_view prefix, std::string_view from, const ShownVisitor& visit);
  /// Calls visit for each row under the prefix that this command has read, changed or brought along, in order.
  /// stood: it showed a value before this command, and no scope of this command takes it.
  using OwnVisitor = std::function<void(std::string_view row_key, bool stood, const causality::Row& now)>;
  void VisitOwn(std::string_view prefix, const OwnVisitor& visit) const;
  /// Whether a scope of this command takes all that stood under the prefix.
  bool IsRemoved(std::string_view prefix) const;
  /// The row as it stood before this command, in a slot of its own; empty if there was none.
  causality::Row GetBefore(std::string_view row_key);
  /// A derived entry (kCounts, kExpiry, kIndex) of this slot, as of before this command. `key` is without the slot.
  std::optional<std::string> GetDerived(Table table, std::string_view key);
  std::unique_ptr<Cursor> ScanDerived(Table table, std::string_view prefix, std::string_view from);

  /// Adds a Value cell beside what is there. past: what the writer had seen and the dot does not say.
  void AddValue(std::string_view row_key, std::string payload, causality::VersionVector past = {});
  void AddExpiry(std::string_view row_key, std::string payload);
  /// Adds to this actor's own sum: combine gets the old sum ("" at a birth) and gives the new one.
  using Combine = std::function<std::string(std::string_view old_sum)>;
  void AddIncrement(std::string_view row_key, const Combine& combine);
  /// Before an AddIncrement: counts increments of this node's closed lives, and its own earlier births, into
  /// the birth that is to be continued, where no removal can take one of them without the other. add gives
  /// the sum of two.
  using Add = std::function<std::string(std::string_view sum, std::string_view more)>;
  void FoldIncrements(std::string_view row_key, const Add& add);

  void Remove(std::string_view row_key, const causality::CellId& id);
  /// Removes every cell that the row has now.
  void Clear(std::string_view row_key);
  /// Removes all rows under the prefix that the clock covers, as one scope, and what this command itself added there.
  void RemoveScope(std::string_view prefix);

  /// Rows of another slot, gathered by the entry node: read-only, seen by Get and Scan under their row keys.
  void Attach(std::string row_key, causality::Row row);

  bool changed() const { return !scopes_.empty() || has_changes_; }
  const Status& status() const { return status_; }
  /// Keys that this command removes because they have ended; only counted.
  void NoteEndedKey() { ++ended_keys_; }
  uint64_t ended_keys() const { return ended_keys_; }
  /// Whoever finds that derived entries do not decode says so: the coordinator discards reply and event.
  void Fail(Status status) { status_ = std::move(status); }
  /// The event; leaves the transaction empty. rows, if given, gets for each of the event's changes, in their order, the row
  /// before and after it: so whoever applies it where it was made need not read again. REQUIRES: changed().
  causality::Event TakeEvent(std::vector<RowUpdate>* rows = nullptr);

 private:
  struct Touched {
    StoredRow before;
    causality::Row now;                        // as seen now; unused as long as it equals what was before
    bool differs = false;
    std::vector<causality::CellId> removed;    // of cells that stood before this command
    std::vector<causality::Cell> added;
    bool attached = false;
    bool stood = false;
    bool changed() const { return !removed.empty() || !added.empty(); }
    const causality::Row& row() const { return differs ? now : before.row; }
    causality::Row& Modify();
  };

  /// Calls on_row for rows that this command has touched, on_bytes for all others, until one returns false.
  template <typename OnRow, typename OnBytes>
  void Walk(std::string_view prefix, std::string_view from, const OnRow& on_row, const OnBytes& on_bytes);
  bool Decode(std::string_view bytes, causality::Row* row);

  Touched& Load(std::string_view row_key);
  const causality::Cell* LatestOwnIncrement(const causality::Row& row) const;
  Touched ReadRow(std::string_view row_key);
  void AddCell(std::string_view row_key, causality::Cell cell);
  void NoteCollection(std::string_view row_key);

  const RowStore& store_;
  Context context_;
  std::map<std::string, Touched, std::less<>> touched_;
  std::vector<causality::ScopeRemoval> scopes_;
  bool has_changes_ = false;
  bool own_collections_ = false;
  uint64_t ended_keys_ = 0;
  Status status_;
};

}  // namespace orrery::storage

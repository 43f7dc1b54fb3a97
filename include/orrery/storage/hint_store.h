#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "orrery/base/node_id.h"
#include "orrery/base/slot.h"
#include "orrery/base/status.h"
#include "orrery/causality/dot.h"
#include "orrery/storage/row_store.h"

namespace orrery::storage {

/// An event kept for a home that is away (DeCandia et al., "Dynamo", section 4.6).
struct Hint {
  NodeId home;
  SlotId slot = 0;
  causality::Dot dot;
  std::string_view event;  ///< encoded; opaque here
};

/// Walks hints in the order home, slot, actor, counter. As storage::Cursor: the event lives until Next, and
/// an end with a bad status is not the end of the hints.
class HintCursor {
 public:
  bool Valid() const { return valid_; }
  /// REQUIRES: Valid() for both.
  const Hint& hint() const { return hint_; }
  void Next();
  Status status() const;

 private:
  friend class HintStore;
  using OwnsSlot = std::function<bool(SlotId)>;
  HintCursor(std::unique_ptr<Cursor> cursor, const OwnsSlot& owns_slot);
  void Settle();

  std::unique_ptr<Cursor> cursor_;
  OwnsSlot owns_slot_;
  Hint hint_;
  bool valid_ = false;
  bool malformed_ = false;
};

/// The hints of one shard's slots in Table::kHints, and what they amount to. It decides nothing: hints stay
/// until Remove, and when the limit is reached Add refuses, because dropping one could lose an acknowledged
/// write.
///
/// Changes go into the store's pending batch, so that they are committed with whatever else the turn of the
/// loop did. When a Commit fails, the numbers here are ahead of the store: call Rebuild after Reopen.
///
/// Owned by the shard, on its loop's thread. Errors are the store's, and kFull.
class HintStore {
 public:
  struct Options {
    /// Keys and events together.
    uint64_t bytes_max = uint64_t{1} << 30;
    /// Which slots are this shard's; other hints of the database are left alone. Empty: all.
    std::function<bool(SlotId)> owns_slot;
  };
  struct Totals {
    uint64_t count = 0;
    uint64_t bytes = 0;
  };
  /// What is kept for one home of one actor's events in one slot.
  struct Range {
    causality::Actor actor;
    uint64_t first = 0;
    uint64_t last = 0;
    uint64_t count = 0;
    uint64_t bytes = 0;

    bool has_gaps() const { return count != last - first + 1; }
  };

  /// Counts what is there, which takes one walk over the table. The row store must outlive it.
  static Result<std::unique_ptr<HintStore>> Open(RowStore* store, Options options);
  /// Counts anew.
  Status Rebuild();

  /// Keeps the event. A dot that is already kept for the home is left as it is: equal dots are equal events.
  Status Add(NodeId home, SlotId slot, const causality::Dot& dot, std::string_view event);
  /// Likewise, beyond the limit if need be: for an event that was made here and that nobody else may have.
  Status AddOwn(NodeId home, SlotId slot, const causality::Dot& dot, std::string_view event);
  bool full() const { return bytes_ >= options_.bytes_max; }
  /// Removes the actor's hints up to and including the dot.
  Status Remove(NodeId home, SlotId slot, const causality::Dot& up_to);

  HintCursor Scan(NodeId home) const;
  HintCursor Scan(NodeId home, SlotId slot) const;
  /// The actor's hints from that dot on.
  HintCursor Scan(NodeId home, SlotId slot, const causality::Dot& from) const;

  /// In memory, for all of these. Homes without hints do not appear.
  const std::map<NodeId, Totals>& totals() const { return totals_; }
  uint64_t bytes() const { return bytes_; }
  /// Slots with hints for the home, ascending.
  std::vector<SlotId> Slots(NodeId home) const;
  std::vector<Range> Ranges(NodeId home, SlotId slot) const;
  std::optional<Range> FindRange(NodeId home, SlotId slot, const causality::Actor& actor) const;

 private:
  struct Stream {
    NodeId home;
    SlotId slot = 0;
    causality::Actor actor;

    auto operator<=>(const Stream&) const = default;
  };
  using RangeMap = std::map<Stream, Range>;

  HintStore(RowStore* store, Options options) : store_(store), options_(std::move(options)) {}
  Status Keep(const Stream& stream, uint64_t counter, std::string_view event, uint64_t bytes_max);
  void Count(const Stream& stream, uint64_t counter, uint64_t bytes);
  void Discount(const Stream& stream, uint64_t count, uint64_t bytes);
  Status RemoveFirst(RangeMap::iterator range, uint64_t up_to);

  RowStore* const store_;
  const Options options_;
  RangeMap ranges_;
  std::map<NodeId, Totals> totals_;
  uint64_t bytes_ = 0;
};

}  // namespace orrery::storage

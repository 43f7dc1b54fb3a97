#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/base/slot.h"
#include "orrery/causality/row.h"
#include "orrery/causality/slot_clock.h"

namespace orrery::causality {

/// What an event does to one row: removals first, then additions.
struct RowChange {
  std::string row_key;  ///< opaque here; storage::EncodeRowKey, without the slot
  std::vector<CellId> removed;
  std::vector<Cell> added;
  bool operator==(const RowChange&) const = default;
};

/// "All cells under this prefix of row keys that the clock covers": DEL of a collection, FLUSHDB, FLUSHALL. The clock is
/// the coordinator's just before the event, so what it had not seen stays.
struct ScopeRemoval {
  std::string prefix;
  SlotClock covered;
  bool operator==(const ScopeRemoval&) const = default;
};

/// What a coordinator made of one command: applied whole or not at all, on every replica, in its actor's order.
struct Event {
  SlotId slot = 0;
  Dot dot;
  HybridTime hlc = 0;
  std::vector<ScopeRemoval> scopes;
  std::vector<RowChange> changes;
  bool operator==(const Event&) const = default;
};

/// The event's bytes, made once by its coordinator and then shared by batches, backlog, links and hints.
struct EncodedEvent {
  SlotId slot = 0;
  Dot dot;
  std::string bytes;
};
using EventPtr = std::shared_ptr<const EncodedEvent>;

std::string EncodeEvent(const Event& event);
EventPtr MakeEventPtr(const Event& event);
/// False on malformed bytes: the peer that sent them is broken or hostile; the event is then unspecified.
/// What memory the event has is used again.
[[nodiscard]] bool DecodeEvent(std::string_view bytes, Event* event);
/// The key of the first row that the event changes; empty if it changes none, begins with a scope, or is
/// malformed.
std::string_view FirstRowKeyOf(const EncodedEvent& event);
/// Reads only slot and dot. nullptr on bytes too short for them.
EventPtr EventPtrFromBytes(std::string_view bytes);

}  // namespace orrery::causality

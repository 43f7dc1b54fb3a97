#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "orrery/base/slot.h"

namespace orrery::commands {

/// Where a SCAN stands: the keys before it, in the order of slots and within a slot by storage::KeyOrder,
/// have been shown. A place in the order, not a position in a table: whatever changes meanwhile, keys after
/// it are still to come.
struct ScanPosition {
  uint32_t slot = 0;   ///< kSlotCount: the end
  uint64_t order = 0;  ///< 48 bits

  bool operator==(const ScanPosition&) const = default;
};

/// The cursor that a client gets: the order above the 14 bits of the slot, so 62 bits in all. The start and
/// the end are both 0, as Redis wants it.
uint64_t CursorOf(const ScanPosition& position);
/// A cursor as Redis takes it, with strtoul's eyes: nothing is 0, and a negative number counts back from
/// 2^64; nullopt if it is none.
std::optional<uint64_t> ParseCursorNumber(std::string_view text);
/// The position of a client's cursor; the end for a number that CursorOf never gives, nullopt for no number
/// at all.
std::optional<ScanPosition> ParseCursor(std::string_view text);

}  // namespace orrery::commands

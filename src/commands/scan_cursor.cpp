#include "commands/scan_cursor.h"

#include "orrery/resp/numbers.h"

namespace orrery::commands {
namespace {

constexpr int kSlotBits = 14;
constexpr int kOrderBits = 48;
static_assert(kSlotCount == uint32_t{1} << kSlotBits);

}  // namespace

uint64_t CursorOf(const ScanPosition& position) {
  if (position.slot >= kSlotCount) return 0;
  return position.order << kSlotBits | position.slot;
}

std::optional<ScanPosition> ParseCursor(std::string_view text) {
  const auto number = resp::ParseInteger(text);
  if (!number || *number < 0) return std::nullopt;
  const auto cursor = static_cast<uint64_t>(*number);
  const ScanPosition position{static_cast<uint32_t>(cursor % kSlotCount), cursor >> kSlotBits};
  if (position.order >> kOrderBits != 0) return std::nullopt;
  return position;
}

}  // namespace orrery::commands

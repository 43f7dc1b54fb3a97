#include "commands/scan_cursor.h"

#include <charconv>
#include <system_error>

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

std::optional<uint64_t> ParseCursorNumber(std::string_view text) {
  if (text.empty()) return 0;
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return negative ? -number : number;
}

std::optional<ScanPosition> ParseCursor(std::string_view text) {
  const auto cursor = ParseCursorNumber(text);
  if (!cursor) return std::nullopt;
  const ScanPosition position{static_cast<uint32_t>(*cursor % kSlotCount), *cursor >> kSlotBits};
  if (position.order >> kOrderBits != 0) return ScanPosition{kSlotCount, 0};
  return position;
}

}  // namespace orrery::commands

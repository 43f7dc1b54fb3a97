#include "orrery/causality/context.h"

#include <charconv>
#include <cstdio>

#include "orrery/base/hash.h"

namespace orrery::causality {
namespace {

constexpr size_t kCheckDigits = 8;

std::string Check(std::string_view key, std::string_view clock) {
  char text[kCheckDigits + 1];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(Hash64(clock, Hash64(key)) >> 32));
  return text;
}

template <typename T>
bool ParseNumber(std::string_view text, int base, T* value) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value, base);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<Dot> ParseDot(std::string_view text) {
  const size_t point = text.find('.');
  const size_t colon = text.find(':');
  if (point == std::string_view::npos || colon == std::string_view::npos || colon < point) return std::nullopt;
  Dot dot;
  const std::optional<NodeId> node = NodeId::FromHex(text.substr(0, point));
  if (!node || node->ToHex() != text.substr(0, point)) return std::nullopt;
  dot.actor.node = *node;
  if (!ParseNumber(text.substr(point + 1, colon - point - 1), 16, &dot.actor.incarnation)) return std::nullopt;
  if (!ParseNumber(text.substr(colon + 1), 10, &dot.counter) || dot.counter == 0) return std::nullopt;
  return dot;
}

std::string FormatClock(const VersionVector& clock) {
  std::string text;
  char number[24];
  for (const auto& entry : clock.entries()) {
    if (!text.empty()) text += ',';
    std::snprintf(number, sizeof number, ".%llx:", static_cast<unsigned long long>(entry.actor.incarnation));
    text += entry.actor.node.ToHex() + number + std::to_string(entry.counter);
  }
  return text;
}

std::optional<VersionVector> ParseClock(std::string_view text) {
  VersionVector clock;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::optional<Dot> dot = ParseDot(text.substr(0, comma));
    if (!dot) return std::nullopt;
    clock.Raise(*dot);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) return std::nullopt;
  }
  return clock;
}

}  // namespace

std::string FormatContext(std::string_view key, const VersionVector& clock) {
  const std::string text = FormatClock(clock);
  return text + "~" + Check(key, text);
}

std::optional<VersionVector> ParseContextShape(std::string_view text) {
  if (text.empty()) return VersionVector();
  const size_t tilde = text.rfind('~');
  if (tilde == std::string_view::npos || text.size() - tilde - 1 != kCheckDigits) return std::nullopt;
  const std::string_view body = text.substr(0, tilde);
  std::optional<VersionVector> clock = ParseClock(body);
  if (!clock || FormatClock(*clock) != body) return std::nullopt;
  return clock;
}

std::optional<VersionVector> ParseContext(std::string_view key, std::string_view text) {
  std::optional<VersionVector> clock = ParseContextShape(text);
  if (!clock || text.empty()) return clock;
  return FormatContext(key, *clock) == text ? clock : std::nullopt;
}

}  // namespace orrery::causality

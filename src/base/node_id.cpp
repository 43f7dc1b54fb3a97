#include "orrery/base/node_id.h"

#include <charconv>
#include <cstdio>

#include "orrery/base/hash.h"

namespace orrery {
namespace {

constexpr size_t kHexDigits = 16;
constexpr size_t kNameDigits = 40;

std::string Hex(uint64_t value) {
  char text[kHexDigits + 1];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

std::string NodeId::ToHex() const { return Hex(value); }

std::optional<NodeId> NodeId::FromHex(std::string_view hex) {
  if (hex.size() != kHexDigits) return std::nullopt;
  NodeId id;
  auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), id.value, 16);
  if (error != std::errc() || end != hex.data() + hex.size()) return std::nullopt;
  return id;
}

std::string NodeId::ToName() const {
  const std::string head = Hex(value);
  return (head + Hex(Hash64(head, 1)) + Hex(Hash64(head, 2))).substr(0, kNameDigits);
}

std::optional<NodeId> NodeId::FromName(std::string_view name) {
  std::optional<NodeId> id = FromHex(name.substr(0, kHexDigits));
  if (!id || name.size() == kHexDigits) return id;
  return id->ToName() == name ? id : std::nullopt;
}

}  // namespace orrery

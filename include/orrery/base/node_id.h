#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace orrery {

/// Names a node for as long as its disk lives; random, drawn once. A wiped disk means a new id. Zero is nobody.
struct NodeId {
  uint64_t value = 0;

  auto operator<=>(const NodeId&) const = default;
  explicit operator bool() const { return value != 0; }

  /// 16 hexadecimal digits.
  std::string ToHex() const;
  static std::optional<NodeId> FromHex(std::string_view hex);
  /// The 40 hexadecimal digits that Redis Cluster's tools expect of a node's name; the first 16 are ToHex().
  std::string ToName() const;
  /// Accepts the 40 digits of ToName() or the 16 of ToHex().
  static std::optional<NodeId> FromName(std::string_view name);
};

}  // namespace orrery

template <>
struct std::hash<orrery::NodeId> {
  size_t operator()(orrery::NodeId id) const noexcept { return static_cast<size_t>(id.value); }
};

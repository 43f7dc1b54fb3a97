#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orrery::commands {

/// Up to what size Redis keeps a collection in its compact form, redis.conf's *-listpack-* and
/// set-max-intset-entries. Here they decide what OBJECT ENCODING says, and nothing else. A value; any thread.
struct EncodingLimits {
  uint64_t hash_entries = 512;
  uint64_t hash_bytes = 64;  ///< of a field or value
  uint64_t set_integers = 512;
  uint64_t zset_entries = 128;
  uint64_t zset_bytes = 64;  ///< of a member
  bool operator==(const EncodingLimits&) const = default;
};

/// As one word of a request: the node that a client asks has the limits, the slot's coordinator the value.
std::string ToText(const EncodingLimits& limits);
/// nullopt if the text is malformed.
std::optional<EncodingLimits> ParseEncodingLimits(std::string_view text);

}  // namespace orrery::commands

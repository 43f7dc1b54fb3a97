#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/types/key_view.h"
#include "orrery/types/zset_type.h"

namespace orrery::types {

/// Values in Redis's own serialisation, as DUMP gives and RESTORE takes them, so that keys move from and to a
/// Redis: one value of an RDB file (type, then what belongs to it), the format's version (2, little-endian),
/// and a checksum of both (CRC-64/Jones, 8, little-endian).
///
/// Written are the plain forms, which every Redis since 7.0 reads; read is every form that a Redis up to 7.0
/// writes, the packed ones of small collections included (listpack, ziplist, zipmap, intset), but no streams
/// and no modules. The bytes may be anybody's: whatever they are, reading ends, and takes memory in
/// proportion to them. Pure.
struct DumpValue {
  KeyType type = KeyType::kNone;
  std::string text;                   ///< of a string
  std::vector<std::string> elements;  ///< of a list, in order; members of a set; field, value, ... of a hash
  std::vector<ScoredMember> scored;   ///< of a sorted set
};

inline constexpr uint16_t kDumpVersion = 10;

std::string WriteDump(const DumpValue& value);
/// Whether the version is one that we know and the checksum fits.
bool DumpIsSound(std::string_view dump);
/// nullopt: not a value of ours. REQUIRES: DumpIsSound().
std::optional<DumpValue> ReadDump(std::string_view dump);

/// The parts of a dump, for tests: version and checksum behind a value's bytes.
std::string SealDump(std::string body, uint16_t version = kDumpVersion);

}  // namespace orrery::types

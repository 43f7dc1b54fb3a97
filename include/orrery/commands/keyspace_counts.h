#pragma once

#include <cstdint>

namespace orrery::commands {

/// What became of keys that single-slot commands asked for, counted where they run: at the slot's
/// coordinator, so once in the cluster (https://redis.io/commands/info/: keyspace_hits, keyspace_misses,
/// expired_keys). A value.
struct KeyspaceCounts {
  uint64_t hits = 0;     ///< looked up for reading, and there
  uint64_t misses = 0;   ///< looked up for reading, and absent or hidden
  uint64_t expired = 0;  ///< removed because they had ended, in the background or by a write

  void Add(const KeyspaceCounts& other) {
    hits += other.hits;
    misses += other.misses;
    expired += other.expired;
  }
};

}  // namespace orrery::commands

#pragma once

#include <cstdint>
#include <string>

namespace orrery::server {

/// What the allocator and the operating system say of this process. Bytes. Without jemalloc the allocator's
/// numbers are glibc's, as far as it has them.
struct MemoryFacts {
  uint64_t allocated = 0;
  uint64_t active = 0;
  uint64_t resident = 0;
  uint64_t rss = 0;
  uint64_t total_system = 0;
  std::string allocator;
};

MemoryFacts ReadMemoryFacts();
/// jemalloc's own report; a sentence where another allocator is in use.
std::string AllocatorReport();
/// Gives unused pages back. False where the allocator cannot.
bool PurgeMemory();

}  // namespace orrery::server

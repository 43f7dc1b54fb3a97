#include "server/memory_facts.h"

#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>

// Weak, so that programs that run with another allocator (the sanitizers' own, for example) need no jemalloc.
extern "C" {
__attribute__((weak)) int mallctl(const char* name, void* old, size_t* old_size, void* value,
                                  size_t value_size);
__attribute__((weak)) void malloc_stats_print(void (*write)(void*, const char*), void* opaque,
                                              const char* options);
}

namespace orrery::server {
namespace {

bool HasJemalloc() {
  return mallctl != nullptr;
}

uint64_t Statistic(const char* name) {
  size_t value = 0;
  size_t size = sizeof(value);
  return mallctl(name, &value, &size, nullptr, 0) == 0 ? value : 0;
}

void RefreshStatistics() {
  uint64_t epoch = 1;
  size_t size = sizeof(epoch);
  mallctl("epoch", &epoch, &size, &epoch, size);
}

std::string JemallocName() {
  const char* version = nullptr;
  size_t size = sizeof(version);
  if (mallctl("version", &version, &size, nullptr, 0) != 0) return "jemalloc";
  const std::string text = version;
  return "jemalloc-" + text.substr(0, text.find('-'));
}

uint64_t ResidentSetBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long total = 0;
  unsigned long resident = 0;
  const int read = std::fscanf(file, "%lu %lu", &total, &resident);
  std::fclose(file);
  return read == 2 ? resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

MemoryFacts ReadMemoryFacts() {
  MemoryFacts facts;
  facts.rss = ResidentSetBytes();
  facts.total_system =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (HasJemalloc()) {
    RefreshStatistics();
    facts.allocated = Statistic("stats.allocated");
    facts.active = Statistic("stats.active");
    facts.resident = Statistic("stats.resident");
    facts.allocator = JemallocName();
    return facts;
  }
  const struct mallinfo2 info = mallinfo2();
  facts.allocated = info.uordblks + info.hblkhd;
  facts.active = info.arena + info.hblkhd;
  facts.resident = facts.rss;
  facts.allocator = "libc";
  return facts;
}

std::string AllocatorReport() {
  if (malloc_stats_print == nullptr) return "Stats not supported for the current allocator";
  std::string report;
  malloc_stats_print([](void* out, const char* text) { *static_cast<std::string*>(out) += text; }, &report,
                     nullptr);
  return report;
}

bool PurgeMemory() {
  if (!HasJemalloc()) return malloc_trim(0) >= 0;
  // 4096 is jemalloc's MALLCTL_ARENAS_ALL.
  return mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0) == 0;
}

}  // namespace orrery::server

// Preloaded into a node: its wall clock is off by as many milliseconds as stand in the file that
// ORRERY_CLOCK_OFFSET_FILE names, in 8 bytes, and follows when they change. What measures spans is left
// alone.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

int64_t OffsetMs() {
  static const std::atomic<int64_t>* const offset = [] {
    const char* path = std::getenv("ORRERY_CLOCK_OFFSET_FILE");
    const int fd = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return static_cast<std::atomic<int64_t>*>(nullptr);
    void* mapped = ::mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    ::close(fd);
    return mapped == MAP_FAILED ? nullptr : static_cast<std::atomic<int64_t>*>(mapped);
  }();
  return offset == nullptr ? 0 : offset->load(std::memory_order_relaxed);
}

timespec SkewedNow() {
  timespec now{};
  ::syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  const int64_t nanos = now.tv_nsec + OffsetMs() % 1000 * 1'000'000;
  const int64_t carry = nanos >= 1'000'000'000 ? 1 : (nanos < 0 ? -1 : 0);
  return {now.tv_sec + OffsetMs() / 1000 + carry, nanos - carry * 1'000'000'000};
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)
    return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  *time = SkewedNow();
  return 0;
}

int gettimeofday(timeval* __restrict time, void* __restrict) noexcept {
  const timespec now = SkewedNow();
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* out) noexcept {
  const time_t now = SkewedNow().tv_sec;
  if (out != nullptr) *out = now;
  return now;
}
}

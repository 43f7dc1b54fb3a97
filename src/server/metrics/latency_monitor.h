#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace orrery::server {

struct LatencySample {
  uint64_t time_s = 0;
  uint64_t latency_ms = 0;
};

/// The latest samples of one kind of event: at most one per second, the worst of it, 160 in all, as Redis
/// keeps them.
struct LatencySeries {
  static constexpr size_t kSamplesMax = 160;

  std::vector<LatencySample> samples;  ///< oldest first
  uint64_t max_ms = 0;

  void Add(uint64_t time_s, uint64_t latency_ms);
};

/// Latency spikes of the node by kind of event: "command", "fast-command", "loop-turn", "checkpoint". Whoever
/// measures compares with latency-monitor-threshold itself and tells only what is above it; the lock is thus
/// rarely taken. Any thread.
class LatencyMonitor {
 public:
  void Add(std::string_view event, uint64_t time_s, uint64_t latency_ms);
  std::map<std::string, LatencySeries> All() const;
  /// Empty if there is none of that kind.
  LatencySeries Of(std::string_view event) const;
  /// How many kinds were forgotten. No names: all.
  size_t Reset(const std::vector<std::string>& events);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, LatencySeries, std::less<>> series_;
};

/// The report of LATENCY DOCTOR.
std::string LatencyReport(const std::map<std::string, LatencySeries>& all, uint64_t threshold_ms);
/// The picture of LATENCY GRAPH: one column per sample, oldest left, its age below.
std::string LatencyGraph(std::string_view event, const LatencySeries& series, uint64_t now_s);

}  // namespace orrery::server

#include "server/metrics/latency_monitor.h"

#include <fmt/format.h>

#include <algorithm>

namespace orrery::server {
namespace {

constexpr size_t kGraphColumns = 80;
constexpr uint64_t kGraphRows = 8;

std::string AgeText(uint64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m", seconds / 60);
  if (seconds < 86400) return fmt::format("{}h", seconds / 3600);
  return fmt::format("{}d", seconds / 86400);
}

uint64_t Average(const LatencySeries& series) {
  uint64_t sum = 0;
  for (const LatencySample& sample : series.samples) sum += sample.latency_ms;
  return sum / series.samples.size();
}

std::string_view Advice(std::string_view event) {
  if (event == "command") {
    return "a command took long from being read to its reply: look at SLOWLOG, at the peers' health (RING "
           "STATUS) and at "
           "request sizes";
  }
  if (event == "fast-command")
    return "even commands of constant cost took long: the loops, a quorum or the disk are slow";
  if (event == "loop-turn")
    return "a loop was busy or not scheduled: fewer threads than cores helps, swapping hurts";
  if (event == "checkpoint") return "SAVE or BGSAVE waited for the disk";
  return "no advice for this event";
}

}  // namespace

void LatencySeries::Add(uint64_t time_s, uint64_t latency_ms) {
  max_ms = std::max(max_ms, latency_ms);
  if (!samples.empty() && samples.back().time_s == time_s) {
    samples.back().latency_ms = std::max(samples.back().latency_ms, latency_ms);
    return;
  }
  if (samples.size() == kSamplesMax) samples.erase(samples.begin());
  samples.push_back({time_s, latency_ms});
}

void LatencyMonitor::Add(std::string_view event, uint64_t time_s, uint64_t latency_ms) {
  const std::lock_guard lock(mutex_);
  auto found = series_.find(event);
  if (found == series_.end()) found = series_.emplace(event, LatencySeries()).first;
  found->second.Add(time_s, latency_ms);
}

std::map<std::string, LatencySeries> LatencyMonitor::All() const {
  const std::lock_guard lock(mutex_);
  return {series_.begin(), series_.end()};
}

LatencySeries LatencyMonitor::Of(std::string_view event) const {
  const std::lock_guard lock(mutex_);
  const auto found = series_.find(event);
  return found == series_.end() ? LatencySeries() : found->second;
}

size_t LatencyMonitor::Reset(const std::vector<std::string>& events) {
  const std::lock_guard lock(mutex_);
  if (events.empty()) {
    const size_t count = series_.size();
    series_.clear();
    return count;
  }
  size_t count = 0;
  for (const std::string& event : events) count += series_.erase(event);
  return count;
}

std::string LatencyReport(const std::map<std::string, LatencySeries>& all, uint64_t threshold_ms) {
  if (threshold_ms == 0) {
    return "Latency is not being watched on this node. CONFIG SET latency-monitor-threshold <milliseconds> "
           "starts it.\n";
  }
  if (all.empty())
    return fmt::format("Nothing took {} milliseconds or more: no latency spikes.\n", threshold_ms);
  std::string text = fmt::format("Latency spikes of {} milliseconds or more, by event:\n\n", threshold_ms);
  int number = 0;
  for (const auto& [event, series] : all) {
    text += fmt::format("{}. {}: {} spikes, average {} ms, last {} ms, worst ever {} ms.\n   {}.\n", ++number,
                        event, series.samples.size(), Average(series), series.samples.back().latency_ms,
                        series.max_ms, Advice(event));
  }
  return text;
}

std::string LatencyGraph(std::string_view event, const LatencySeries& series, uint64_t now_s) {
  const auto& samples = series.samples;
  const size_t first = samples.size() > kGraphColumns ? samples.size() - kGraphColumns : 0;
  uint64_t low = UINT64_MAX;
  uint64_t high = 0;
  for (size_t i = first; i < samples.size(); ++i) {
    low = std::min(low, samples[i].latency_ms);
    high = std::max(high, samples[i].latency_ms);
  }
  std::string text = fmt::format("{} - high {} ms, low {} ms (all time high {} ms)\n{:-<80}\n", event, high,
                                 low, series.max_ms, "");
  for (uint64_t row = kGraphRows; row-- > 0;) {
    for (size_t i = first; i < samples.size(); ++i) {
      const uint64_t height =
          high == low ? kGraphRows : (samples[i].latency_ms - low) * kGraphRows / (high - low);
      text += height > row ? '#' : (row == 0 ? '_' : ' ');
    }
    text += '\n';
  }
  // Ages are written downwards, one column each.
  std::vector<std::string> ages;
  size_t longest = 0;
  for (size_t i = first; i < samples.size(); ++i) {
    ages.push_back(AgeText(now_s - std::min(now_s, samples[i].time_s)));
    longest = std::max(longest, ages.back().size());
  }
  for (size_t line = 0; line < longest; ++line) {
    text += '\n';
    for (const std::string& age : ages) text += line < age.size() ? age[line] : ' ';
  }
  return text + "\n";
}

}  // namespace orrery::server

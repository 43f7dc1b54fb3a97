#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>

namespace orrery::runtime {

/// Keeps strangers from filling the log: within a window of time each line passes once, and not more than a
/// few different lines; the next window begins with how many were left out. Loop's thread only.
class NoteFilter {
 public:
  static constexpr uint64_t kWindowUs = 10'000'000;
  static constexpr size_t kLinesMax = 20;

  explicit NoteFilter(std::function<void(const std::string&)> sink) : sink_(std::move(sink)) {}

  void Note(uint64_t now_us, const std::string& line) {
    if (!sink_) return;
    if (now_us - window_start_us_ >= kWindowUs) OpenWindow(now_us);
    if (lines_.contains(line) || lines_.size() >= kLinesMax) {
      ++left_out_;
      return;
    }
    lines_.insert(line);
    sink_(line);
  }

 private:
  void OpenWindow(uint64_t now_us) {
    window_start_us_ = now_us;
    lines_.clear();
    const uint64_t left_out = std::exchange(left_out_, 0);
    if (left_out > 0) sink_("left out " + std::to_string(left_out) + " more lines like those before");
  }

  std::function<void(const std::string&)> sink_;
  uint64_t window_start_us_ = 0;
  std::set<std::string> lines_;
  uint64_t left_out_ = 0;
};

}  // namespace orrery::runtime

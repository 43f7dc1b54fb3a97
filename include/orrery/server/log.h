#pragma once

#include <fmt/core.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "orrery/base/status.h"
#include "orrery/server/config.h"

namespace orrery::server {

/// The node's log: one line per message, "pid:M 01 Jan 2026 00:00:00.000 * text", on standard output or in a
/// file that is opened for appending (so it can be copied and truncated by logrotate). Made once by main and
/// outliving all loops. Any thread. A message that cannot be written is lost; logging never fails its caller.
class Log {
 public:
  /// file: empty for standard output. kIoError with the reason when it cannot be opened.
  static Result<std::unique_ptr<Log>> Open(const std::string& file, LogLevel level);
  /// For tests and tools: drops everything.
  static std::unique_ptr<Log> Silent();
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void SetLevel(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  bool Wants(LogLevel level) const { return level >= level_.load(std::memory_order_relaxed); }
  void Write(LogLevel level, std::string_view text);
  void Flush();

  template <typename... Args>
  void Debug(fmt::format_string<Args...> format, Args&&... args) {
    Format(LogLevel::kDebug, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Verbose(fmt::format_string<Args...> format, Args&&... args) {
    Format(LogLevel::kVerbose, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Notice(fmt::format_string<Args...> format, Args&&... args) {
    Format(LogLevel::kNotice, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Warning(fmt::format_string<Args...> format, Args&&... args) {
    Format(LogLevel::kWarning, format, std::forward<Args>(args)...);
  }

 private:
  struct Impl;
  Log(std::unique_ptr<Impl> impl, LogLevel level);

  template <typename... Args>
  void Format(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (Wants(level)) Write(level, fmt::format(format, std::forward<Args>(args)...));
  }

  std::unique_ptr<Impl> impl_;
  std::atomic<LogLevel> level_;
};

}  // namespace orrery::server

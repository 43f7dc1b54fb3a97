#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orrery::server {

/// A command as SLOWLOG shows it: at most 32 arguments of at most 128 bytes, what is left out being counted,
/// as Redis does. Kept beside each command under way, so it reuses its memory.
class ArgumentPreview {
 public:
  void Assign(std::span<const std::string_view> args);
  void Clear() { bytes_.clear(), ends_.clear(); }
  bool empty() const { return ends_.empty(); }
  std::vector<std::string> Words() const;

 private:
  std::string bytes_;
  std::vector<uint32_t> ends_;
};

struct SlowlogEntry {
  uint64_t id = 0;
  uint64_t time_s = 0;
  uint64_t duration_us = 0;
  std::vector<std::string> args;
  std::string address;
  std::string client_name;
};

/// The latest slow commands of the node, newest first. Any thread: the lock is taken for slow commands and
/// SLOWLOG only.
class Slowlog {
 public:
  void Add(SlowlogEntry entry, uint64_t length_max);
  /// The newest `count` entries.
  std::vector<SlowlogEntry> Newest(size_t count) const;
  size_t size() const;
  void Reset();

 private:
  mutable std::mutex mutex_;
  std::deque<SlowlogEntry> entries_;
  uint64_t next_id_ = 0;
};

}  // namespace orrery::server

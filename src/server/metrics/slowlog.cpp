#include "server/metrics/slowlog.h"

#include <algorithm>

namespace orrery::server {
namespace {

constexpr size_t kArgumentsMax = 32;
constexpr size_t kArgumentBytesMax = 128;

}  // namespace

void ArgumentPreview::Assign(std::span<const std::string_view> args) {
  Clear();
  const bool cut = args.size() > kArgumentsMax;
  const size_t shown = cut ? kArgumentsMax - 1 : args.size();
  for (std::string_view arg : args.first(shown)) {
    bytes_.append(arg.substr(0, kArgumentBytesMax));
    if (arg.size() > kArgumentBytesMax) {
      bytes_ += "... (" + std::to_string(arg.size() - kArgumentBytesMax) + " more bytes)";
    }
    ends_.push_back(static_cast<uint32_t>(bytes_.size()));
  }
  if (!cut) return;
  bytes_ += "... (" + std::to_string(args.size() - shown) + " more arguments)";
  ends_.push_back(static_cast<uint32_t>(bytes_.size()));
}

std::vector<std::string> ArgumentPreview::Words() const {
  std::vector<std::string> words;
  uint32_t begin = 0;
  for (uint32_t end : ends_) {
    words.push_back(bytes_.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

void Slowlog::Add(SlowlogEntry entry, uint64_t length_max) {
  const std::lock_guard lock(mutex_);
  entry.id = next_id_++;
  entries_.push_front(std::move(entry));
  while (entries_.size() > length_max) entries_.pop_back();
}

std::vector<SlowlogEntry> Slowlog::Newest(size_t count) const {
  const std::lock_guard lock(mutex_);
  const size_t n = std::min(count, entries_.size());
  return {entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(n)};
}

size_t Slowlog::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void Slowlog::Reset() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
}

}  // namespace orrery::server

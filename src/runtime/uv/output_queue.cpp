#include "runtime/uv/output_queue.h"

#include <algorithm>
#include <utility>

#include "orrery/base/check.h"

namespace orrery::runtime {
namespace {

/// Up to here a copy is cheaper than a piece of its own.
constexpr size_t kCopyMaxBytes = 4096;

}  // namespace

void OutputQueue::Append(std::string bytes) {
  if (bytes.size() <= kCopyMaxBytes) {
    Tail().append(bytes);
    return;
  }
  Seal();
  sealed_bytes_ += bytes.size();
  chunks_.push_back(std::move(bytes));
}

std::string& OutputQueue::Tail() {
  if (tail_open_ && chunks_.back().size() >= ChunkPool::kChunkBytes) Seal();
  if (!tail_open_) {
    chunks_.push_back(pool_.Take());
    tail_open_ = true;
  }
  return chunks_.back();
}

void OutputQueue::Seal() {
  if (!tail_open_) return;
  tail_open_ = false;
  sealed_bytes_ += chunks_.back().size();
}

size_t OutputQueue::Peek(iovec* pieces, size_t max) const {
  size_t count = 0;
  size_t skip = offset_;
  for (size_t i = front_; i < chunks_.size() && count < max; ++i) {
    const size_t size = chunks_[i].size() - skip;
    if (size > 0) pieces[count++] = {const_cast<char*>(chunks_[i].data()) + skip, size};
    skip = 0;
  }
  return count;
}

void OutputQueue::Consume(size_t n) {
  ORRERY_CHECK(n <= bytes());
  if (n == bytes()) return Clear();
  Seal();
  offset_ += n;
  while (offset_ >= chunks_[front_].size()) {
    offset_ -= chunks_[front_].size();
    sealed_bytes_ -= chunks_[front_].size();
    pool_.Give(std::move(chunks_[front_++]));
  }
  if (front_ >= 64 && front_ * 2 >= chunks_.size()) {
    chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(front_));
    front_ = 0;
  }
}

void OutputQueue::Clear() {
  for (size_t i = front_; i < chunks_.size(); ++i) pool_.Give(std::move(chunks_[i]));
  chunks_.clear();
  if (chunks_.capacity() > 256) chunks_.shrink_to_fit();
  front_ = offset_ = sealed_bytes_ = 0;
  tail_open_ = false;
}

}  // namespace orrery::runtime

#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/uv/chunk_pool.h"

namespace orrery::runtime {

/// Bytes waiting to be sent: small writes are gathered in pooled chunks, large ones keep their own string and
/// are never copied. One per connection, loop's thread only.
class OutputQueue {
 public:
  explicit OutputQueue(ChunkPool& pool) : pool_(pool) {}
  /// Gives the chunks back.
  ~OutputQueue() { Clear(); }
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  void Append(std::string bytes);
  /// The chunk at the end, for appending; valid until the next call of a function that is not const.
  std::string& Tail();

  bool empty() const { return bytes() == 0; }
  size_t bytes() const { return sealed_bytes_ - offset_ + (tail_open_ ? chunks_.back().size() : 0); }

  /// Describes up to max pieces from the front. Returns how many.
  size_t Peek(iovec* pieces, size_t max) const;
  /// Forgets n bytes from the front. REQUIRES: n <= bytes().
  void Consume(size_t n);
  void Clear();

 private:
  void Seal();

  ChunkPool& pool_;
  std::vector<std::string> chunks_;
  size_t front_ = 0;         ///< chunks before this one are sent
  size_t offset_ = 0;        ///< so much of the front chunk is sent
  size_t sealed_bytes_ = 0;  ///< of the chunks from front_ on, without the open tail
  bool tail_open_ = false;   ///< the last chunk is ours to append to
};

}  // namespace orrery::runtime

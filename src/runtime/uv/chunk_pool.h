#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace orrery::runtime {

/// Output buffers of one loop that nobody uses at the moment. Connections take one when they have something
/// to say and give it back when it is sent, so idle connections hold no output memory and busy ones allocate
/// none.
class ChunkPool {
 public:
  static constexpr size_t kChunkBytes = 16 * 1024;

  /// An empty string with room for kChunkBytes.
  std::string Take() {
    if (free_.empty()) {
      std::string chunk;
      chunk.reserve(kChunkBytes);
      return chunk;
    }
    std::string chunk = std::move(free_.back());
    free_.pop_back();
    return chunk;
  }

  void Give(std::string chunk) {
    if (free_.size() >= kFreeMax || chunk.capacity() < kChunkBytes || chunk.capacity() > 4 * kChunkBytes)
      return;
    chunk.clear();
    free_.push_back(std::move(chunk));
  }

 private:
  static constexpr size_t kFreeMax = 256;
  std::vector<std::string> free_;
};

}  // namespace orrery::runtime

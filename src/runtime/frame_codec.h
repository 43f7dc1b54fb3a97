#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace orrery::runtime {

/// The framing of a peer link: every message travels behind a header of kFrameHeaderBytes that carries its
/// length, its type and two checksums (docs/peer-link.md). The number of the frame on its link is mixed into
/// the header's checksum, so a frame lost, repeated or swapped is noticed as a damaged one is. Pure: bytes
/// in, frames out.
inline constexpr size_t kFrameHeaderBytes = 16;

enum class FrameType : uint8_t { kMessage = 1 };

/// Appends the header of the number-th frame (from 0) to out. REQUIRES: payload.size() < 4 GiB.
void AppendFrameHeader(uint64_t number, FrameType type, std::string_view payload, std::string* out);

/// Cuts the bytes of a link into frames, in a buffer of its own that grows to the largest frame under way and
/// shrinks again after it. One per link and direction.
class FrameDecoder {
 public:
  explicit FrameDecoder(size_t frame_max_bytes) : frame_max_bytes_(frame_max_bytes) {}

  /// Room for the next bytes; not empty. What was returned before is gone.
  std::span<char> Prepare(size_t hint);
  /// n bytes were put at the start of the room. REQUIRES: n <= its size.
  void Commit(size_t n);

  enum class Outcome { kFrame, kNeedMore, kCorrupt };
  /// kFrame: the payload's view lives until the next Prepare(). kCorrupt is final, error() says what was
  /// wrong.
  Outcome Next(std::string_view* payload);
  const std::string& error() const { return error_; }
  uint64_t frames() const { return number_; }

 private:
  struct Header {
    uint32_t length;
    uint64_t payload_checksum;
  };
  Outcome Corrupt(std::string error);
  /// Reads and checks the header at the front. REQUIRES: kFrameHeaderBytes are there and there is no header
  /// yet.
  bool ReadHeader();
  void Reserve(size_t bytes);

  const size_t frame_max_bytes_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t begin_ = 0;  ///< bytes before it are done
  size_t end_ = 0;    ///< bytes from here on are room
  bool have_header_ = false;
  Header header_{};
  uint64_t number_ = 0;
  std::string error_;
};

}  // namespace orrery::runtime

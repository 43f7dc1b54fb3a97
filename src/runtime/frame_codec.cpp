#include "runtime/frame_codec.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "orrery/base/check.h"
#include "orrery/base/hash.h"

namespace orrery::runtime {
namespace {

/// A buffer larger than this is given back once the frame that needed it is done.
constexpr size_t kKeepMaxBytes = 256 * 1024;
/// Where the header's parts begin; the checksum of the header covers what stands before it.
constexpr size_t kLengthAt = 0;
constexpr size_t kPayloadChecksumAt = 4;
constexpr size_t kTypeAt = 12;
constexpr size_t kHeaderChecksumAt = 13;

// Little-endian, on the stack and not through Encoder: this runs for every frame.
template <size_t width>
void Store(uint64_t value, char* at) {
  for (size_t i = 0; i < width; ++i) at[i] = static_cast<char>(value >> (8 * i));
}

template <size_t width>
uint64_t Load(const char* at) {
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) value |= static_cast<uint64_t>(static_cast<uint8_t>(at[i])) << (8 * i);
  return value;
}

uint64_t HeaderChecksum(uint64_t number, const char* header) {
  return Hash64({header, kHeaderChecksumAt}, number) & 0xffffff;
}

}  // namespace

void AppendFrameHeader(uint64_t number, FrameType type, std::string_view payload, std::string* out) {
  ORRERY_CHECK(payload.size() <= UINT32_MAX);
  char header[kFrameHeaderBytes];
  Store<4>(payload.size(), header + kLengthAt);
  Store<8>(Hash64(payload), header + kPayloadChecksumAt);
  Store<1>(static_cast<uint8_t>(type), header + kTypeAt);
  Store<3>(HeaderChecksum(number, header), header + kHeaderChecksumAt);
  out->append(header, kFrameHeaderBytes);
}

std::span<char> FrameDecoder::Prepare(size_t hint) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (capacity_ > kKeepMaxBytes && !have_header_) {
      buffer_.reset();
      capacity_ = 0;
    }
  }
  // The whole frame under way must fit; beyond that the hint decides.
  const size_t frame = have_header_ ? header_.length : kFrameHeaderBytes;
  const size_t held = end_ - begin_;
  const size_t missing = frame > held ? frame - held : 0;
  if (capacity_ - end_ < std::max({missing, hint / 2, size_t{1}})) {
    Reserve(held + std::max({missing, hint, size_t{1}}));
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

void FrameDecoder::Reserve(size_t bytes) {
  const size_t held = end_ - begin_;
  if (bytes > capacity_) {
    auto larger = std::make_unique_for_overwrite<char[]>(bytes);
    if (held > 0) std::memcpy(larger.get(), buffer_.get() + begin_, held);
    buffer_ = std::move(larger);
    capacity_ = bytes;
  } else if (held > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, held);
  }
  begin_ = 0;
  end_ = held;
}

void FrameDecoder::Commit(size_t n) {
  ORRERY_CHECK(n <= capacity_ - end_);
  end_ += n;
}

FrameDecoder::Outcome FrameDecoder::Next(std::string_view* payload) {
  if (!error_.empty()) return Outcome::kCorrupt;
  if (!have_header_) {
    if (end_ - begin_ < kFrameHeaderBytes) return Outcome::kNeedMore;
    if (!ReadHeader()) return Outcome::kCorrupt;
  }
  if (end_ - begin_ < header_.length) return Outcome::kNeedMore;
  *payload = std::string_view(buffer_.get() + begin_, header_.length);
  if (Hash64(*payload) != header_.payload_checksum) return Corrupt("the payload's checksum is wrong");
  begin_ += header_.length;
  have_header_ = false;
  ++number_;
  return Outcome::kFrame;
}

bool FrameDecoder::ReadHeader() {
  const char* bytes = buffer_.get() + begin_;
  if (Load<3>(bytes + kHeaderChecksumAt) != HeaderChecksum(number_, bytes)) {
    return Corrupt("the header's checksum is wrong"), false;
  }
  header_.length = static_cast<uint32_t>(Load<4>(bytes + kLengthAt));
  header_.payload_checksum = Load<8>(bytes + kPayloadChecksumAt);
  const uint64_t type = Load<1>(bytes + kTypeAt);
  if (type != static_cast<uint64_t>(FrameType::kMessage)) return Corrupt("the type is unknown"), false;
  if (header_.length > frame_max_bytes_) return Corrupt("it is longer than allowed"), false;
  begin_ += kFrameHeaderBytes;
  have_header_ = true;
  return true;
}

FrameDecoder::Outcome FrameDecoder::Corrupt(std::string error) {
  error_ = "frame " + std::to_string(number_) + ": " + std::move(error);
  return Outcome::kCorrupt;
}

}  // namespace orrery::runtime

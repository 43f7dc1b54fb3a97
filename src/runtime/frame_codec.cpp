#include "runtime/frame_codec.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "orrery/base/check.h"
#include "orrery/base/codec.h"
#include "orrery/base/hash.h"

namespace orrery::runtime {
namespace {

/// A buffer larger than this is given back once the frame that needed it is done.
constexpr size_t kKeepMaxBytes = 256 * 1024;
constexpr size_t kCheckedHeaderBytes = 13;

uint32_t HeaderChecksum(uint64_t number, std::string_view header) {
  return static_cast<uint32_t>(Hash64(header.substr(0, kCheckedHeaderBytes), number)) & 0xffffff;
}

}  // namespace

void AppendFrameHeader(uint64_t number, FrameType type, std::string_view payload, std::string* out) {
  ORRERY_CHECK(payload.size() <= UINT32_MAX);
  const size_t start = out->size();
  Encoder encoder(out);
  encoder.PutU32(static_cast<uint32_t>(payload.size()));
  encoder.PutU64(Hash64(payload));
  encoder.PutU8(static_cast<uint8_t>(type));
  const uint32_t check = HeaderChecksum(number, std::string_view(*out).substr(start));
  encoder.PutU8(static_cast<uint8_t>(check));
  encoder.PutU16(static_cast<uint16_t>(check >> 8));
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
  const std::string_view bytes(buffer_.get() + begin_, kFrameHeaderBytes);
  Decoder decoder(bytes);
  header_.length = decoder.GetU32();
  header_.payload_checksum = decoder.GetU64();
  const uint8_t type = decoder.GetU8();
  uint32_t check = decoder.GetU8();
  check |= static_cast<uint32_t>(decoder.GetU16()) << 8;
  if (check != HeaderChecksum(number_, bytes)) return Corrupt("the header's checksum is wrong"), false;
  if (type != static_cast<uint8_t>(FrameType::kMessage)) return Corrupt("the type is unknown"), false;
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

#include "types/rdb_codec.h"

#include <lzf.h>

#include <bit>
#include <limits>

#include "orrery/base/numbers.h"

namespace orrery::types {
namespace {

// The two highest bits of a length's first byte.
constexpr uint8_t kKindMask = 0xc0;
constexpr uint8_t kLength14 = 0x40;
constexpr uint8_t kLengthLong = 0x80;
constexpr uint8_t kSpecial = 0xc0;
constexpr uint8_t kLength32 = 0x80;
constexpr uint8_t kLength64 = 0x81;

enum Special : uint8_t { kInteger8 = 0, kInteger16 = 1, kInteger32 = 2, kCompressed = 3 };

/// No integer of 32 bits is longer.
constexpr size_t kIntegerTextBytesMax = 11;
constexpr size_t kCompressedTextBytesMin = 21;
/// Three bytes of compressed text stand for at most 264 of plain text.
constexpr uint64_t kCompressionMax = 90;
constexpr uint64_t kTextBytesMax = uint64_t{512} << 20;

uint64_t GetBigEndian(Decoder* in, int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = (value << 8) | in->GetU8();
  return value;
}
void PutBigEndian(uint64_t value, int bytes, Encoder* out) {
  for (int i = bytes; i-- > 0;) out->PutU8(static_cast<uint8_t>(value >> (8 * i)));
}

uint64_t LengthBehind(uint8_t head, Decoder* in) {
  switch (head & kKindMask) {
    case 0:
      return head;
    case kLength14:
      return (head & uint64_t{0x3f}) << 8 | in->GetU8();
    case kLengthLong:
      if (head == kLength32) return GetBigEndian(in, 4);
      if (head == kLength64) return GetBigEndian(in, 8);
      break;
    default:
      break;
  }
  in->Fail();
  return 0;
}

bool PutInteger(int64_t value, Encoder* out) {
  if (value >= INT8_MIN && value <= INT8_MAX) {
    out->PutU8(kSpecial | kInteger8);
    out->PutU8(static_cast<uint8_t>(value));
  } else if (value >= INT16_MIN && value <= INT16_MAX) {
    out->PutU8(kSpecial | kInteger16);
    out->PutU16(static_cast<uint16_t>(value));
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    out->PutU8(kSpecial | kInteger32);
    out->PutU32(static_cast<uint32_t>(value));
  } else {
    return false;
  }
  return true;
}

bool PutCompressed(std::string_view text, Encoder* out) {
  if (text.size() < kCompressedTextBytesMin || text.size() > kTextBytesMax) return false;
  std::string compressed(text.size() - 4, '\0');
  const unsigned size = lzf_compress(text.data(), static_cast<unsigned>(text.size()), compressed.data(),
                                     static_cast<unsigned>(compressed.size()));
  if (size == 0) return false;
  out->PutU8(kSpecial | kCompressed);
  PutRdbLength(size, out);
  PutRdbLength(text.size(), out);
  out->PutRaw(std::string_view(compressed).substr(0, size));
  return true;
}

std::string GetCompressed(Decoder* in) {
  const uint64_t compressed_size = GetRdbLength(in);
  const uint64_t size = GetRdbLength(in);
  const std::string_view compressed = in->GetRaw(compressed_size);
  std::string text;
  if (!in->ok() || size > kTextBytesMax || size > compressed.size() * kCompressionMax)
    return in->Fail(), text;
  text.resize(size);
  const unsigned got = lzf_decompress(compressed.data(), static_cast<unsigned>(compressed.size()),
                                      text.data(), static_cast<unsigned>(size));
  if (got == 0 || got != size) return in->Fail(), std::string();
  return text;
}

std::string GetSpecial(uint8_t form, Decoder* in) {
  if (form == kCompressed) return GetCompressed(in);
  std::string text;
  if (form == kInteger8) {
    AppendInteger(static_cast<int8_t>(in->GetU8()), &text);
  } else if (form == kInteger16) {
    AppendInteger(static_cast<int16_t>(in->GetU16()), &text);
  } else if (form == kInteger32) {
    AppendInteger(static_cast<int32_t>(in->GetU32()), &text);
  } else {
    in->Fail();
  }
  return text;
}

}  // namespace

void PutRdbLength(uint64_t length, Encoder* out) {
  if (length < 1 << 6) {
    out->PutU8(static_cast<uint8_t>(length));
  } else if (length < 1 << 14) {
    out->PutU8(static_cast<uint8_t>(kLength14 | length >> 8));
    out->PutU8(static_cast<uint8_t>(length));
  } else if (length <= std::numeric_limits<uint32_t>::max()) {
    out->PutU8(kLength32);
    PutBigEndian(length, 4, out);
  } else {
    out->PutU8(kLength64);
    PutBigEndian(length, 8, out);
  }
}

void PutRdbString(std::string_view text, Encoder* out) {
  const auto integer = text.size() <= kIntegerTextBytesMax ? ParseInteger(text) : std::nullopt;
  if (integer && PutInteger(*integer, out)) return;
  if (PutCompressed(text, out)) return;
  PutRdbLength(text.size(), out);
  out->PutRaw(text);
}

void PutRdbScore(double score, Encoder* out) {
  out->PutU64(std::bit_cast<uint64_t>(score));
}

uint64_t GetRdbLength(Decoder* in) {
  return LengthBehind(in->GetU8(), in);
}

uint64_t GetRdbCount(Decoder* in) {
  const uint64_t count = GetRdbLength(in);
  if (count > in->remaining()) in->Fail();
  return in->ok() ? count : 0;
}

std::string GetRdbString(Decoder* in) {
  const uint8_t head = in->GetU8();
  if ((head & kKindMask) == kSpecial) return GetSpecial(head & 0x3f, in);
  return std::string(in->GetRaw(LengthBehind(head, in)));
}

double GetRdbScore(Decoder* in) {
  return std::bit_cast<double>(in->GetU64());
}

double GetRdbTextScore(Decoder* in) {
  constexpr uint8_t kMinusInfinity = 255, kInfinity = 254, kNotANumber = 253;
  const uint8_t size = in->GetU8();
  if (size == kMinusInfinity) return -std::numeric_limits<double>::infinity();
  if (size == kInfinity) return std::numeric_limits<double>::infinity();
  const auto score = size == kNotANumber ? std::nullopt : ParseDouble(in->GetRaw(size));
  if (!score) in->Fail();
  return score.value_or(0);
}

}  // namespace orrery::types

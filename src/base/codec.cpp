#include "orrery/base/codec.h"

namespace orrery {

void Encoder::PutFixed(uint64_t v, int width) {
  for (int i = 0; i < width; ++i) PutU8(static_cast<uint8_t>(v >> (8 * i)));
}

void Encoder::PutVarint(uint64_t v) {
  while (v >= 0x80) {
    PutU8(static_cast<uint8_t>(v | 0x80));
    v >>= 7;
  }
  PutU8(static_cast<uint8_t>(v));
}

uint64_t Decoder::GetFixed(size_t width) {
  if (in_.size() < width) return Fail(), 0;
  uint64_t v = 0;
  for (size_t i = 0; i < width; ++i) v |= static_cast<uint64_t>(static_cast<uint8_t>(in_[i])) << (8 * i);
  in_.remove_prefix(width);
  return v;
}

uint64_t Decoder::GetVarint() {
  uint64_t v = 0;
  for (size_t i = 0; i < 10; ++i) {
    if (i >= in_.size()) return Fail(), 0;
    const auto byte = static_cast<uint8_t>(in_[i]);
    if (i == 9 && byte > 1) return Fail(), 0;
    v |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      if (byte == 0 && i > 0) return Fail(), 0;
      in_.remove_prefix(i + 1);
      return v;
    }
  }
  return Fail(), 0;
}

std::string_view Decoder::GetBytes() { return GetRaw(GetVarint()); }

std::string_view Decoder::GetRaw(size_t n) {
  if (!ok_ || n > in_.size()) return Fail(), std::string_view();
  std::string_view bytes = in_.substr(0, n);
  in_.remove_prefix(n);
  return bytes;
}

uint64_t Decoder::GetCount(size_t min_bytes) {
  const uint64_t n = GetVarint();
  if (n > in_.size() / (min_bytes == 0 ? 1 : min_bytes)) return Fail(), 0;
  return n;
}

}  // namespace orrery

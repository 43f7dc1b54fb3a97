#include "orrery/base/codec.h"

namespace orrery {

uint64_t Decoder::GetLongVarint() {
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

uint64_t Decoder::GetCount(size_t min_bytes) {
  const uint64_t n = GetVarint();
  if (n > in_.size() / (min_bytes == 0 ? 1 : min_bytes)) return Fail(), 0;
  return n;
}

}  // namespace orrery

#include "orrery/base/codec.h"

#include <cstring>

namespace orrery {

uint64_t Decoder::GetLongVarint() {
  // Near the end of the input there may be fewer bytes than are looked at. Behind it stands what ends no
  // varint.
  char last[kVarintBytesMax];
  const char* from = in_.data();
  if (in_.size() < kVarintBytesMax) {
    std::memset(last, 0, sizeof(last));
    in_.copy(last, in_.size());
    from = last;
  }
  uint64_t v = 0;
  const size_t bytes = varint::Read(from, &v);
  if (bytes == 0 || bytes > in_.size()) return Fail(), 0;
  in_.remove_prefix(bytes);
  return v;
}

uint64_t Decoder::GetCount(size_t min_bytes) {
  const uint64_t n = GetVarint();
  if (n > in_.size() / (min_bytes == 0 ? 1 : min_bytes)) return Fail(), 0;
  return n;
}

}  // namespace orrery

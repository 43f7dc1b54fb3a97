#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace orrery {

inline constexpr size_t kVarintBytesMax = 10;

/// Little-endian, whatever the machine is; at any address.
template <typename T>
T LoadLittle(const char* from) {
  T value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&value, from, sizeof(T));
  } else {
    for (size_t i = sizeof(T); i-- > 0;) value = static_cast<T>(value << 8 | static_cast<uint8_t>(from[i]));
  }
  return value;
}

template <typename T>
void StoreLittle(T value, char* to) {
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(to, &value, sizeof(T));
  } else {
    for (size_t i = 0; i < sizeof(T); ++i) to[i] = static_cast<char>(value >> (8 * i));
  }
}

/// LEB128: seven bits a byte, the lowest first, the top bit set on all bytes but the last. Clocks are full of
/// long ones, so eight bytes are made at once: three steps move groups of bits, each twice as wide as the one
/// before.
namespace varint {

inline constexpr uint64_t kContinued = 0x8080808080808080;
inline constexpr size_t kWordBytes = 8;
inline constexpr size_t kWordBits = 7 * kWordBytes;

/// The low 56 bits, seven in each byte.
inline uint64_t Spread(uint64_t v) {
  v = (v & 0x000000000fffffff) | (v & 0x00fffffff0000000) << 4;
  v = (v & 0x00003fff00003fff) | (v & 0x0fffc0000fffc000) << 2;
  return (v & 0x007f007f007f007f) | (v & 0x3f803f803f803f80) << 1;
}

/// What Spread was given; the top bit of each byte is ignored.
inline uint64_t Gather(uint64_t v) {
  v = (v & 0x007f007f007f007f) | (v & 0x7f007f007f007f00) >> 1;
  v = (v & 0x00003fff00003fff) | (v & 0x3fff00003fff0000) >> 2;
  return (v & 0x000000000fffffff) | (v & 0x0fffffff00000000) >> 4;
}

/// Writes v and returns its length. REQUIRES: kVarintBytesMax bytes at `to`, of which the rest is
/// overwritten, too.
inline size_t Write(uint64_t v, char* to) {
  if (v < 0x80) {
    *to = static_cast<char>(v);
    return 1;
  }
  StoreLittle(Spread(v) | kContinued, to);
  to[kWordBytes] = static_cast<char>(v >> kWordBits | 0x80);
  to[kWordBytes + 1] = static_cast<char>(v >> 63);
  const size_t bytes = (static_cast<size_t>(std::bit_width(v)) + 6) / 7;
  to[bytes - 1] = static_cast<char>(to[bytes - 1] & 0x7f);
  return bytes;
}

/// Reads a value into *v and returns its length; 0 if these bytes do not begin with the shortest encoding of
/// one. REQUIRES: kVarintBytesMax readable bytes at `from`.
inline size_t Read(const char* from, uint64_t* v) {
  const auto word = LoadLittle<uint64_t>(from);
  const uint64_t ends = ~word & kContinued;
  if (ends != 0) {
    const size_t bytes = static_cast<size_t>(std::countr_zero(ends)) / 8 + 1;
    // All bits up to the one that ends it.
    *v = Gather(word & (ends ^ (ends - 1)));
    return bytes > 1 && from[bytes - 1] == 0 ? 0 : bytes;
  }
  const auto ninth = static_cast<uint8_t>(from[kWordBytes]);
  *v = Gather(word) | static_cast<uint64_t>(ninth & 0x7f) << kWordBits;
  if (ninth < 0x80) return ninth == 0 ? 0 : kWordBytes + 1;
  *v |= uint64_t{1} << 63;
  return from[kWordBytes + 1] == 1 ? kVarintBytesMax : 0;
}

}  // namespace varint
}  // namespace orrery

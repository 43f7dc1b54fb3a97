#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace orrery {

/// Appends values to a byte string: little-endian fixed widths, LEB128 varints, length-prefixed bytes.
/// The string is the caller's. Every format of ours (rows, messages, node state) is written with this.
class Encoder {
 public:
  explicit Encoder(std::string* out) : out_(out) {}

  void PutU8(uint8_t v) { out_->push_back(static_cast<char>(v)); }
  void PutU16(uint16_t v) { PutFixed(v, 2); }
  void PutU32(uint32_t v) { PutFixed(v, 4); }
  void PutU64(uint64_t v) { PutFixed(v, 8); }
  void PutVarint(uint64_t v) {
    char bytes[kVarintBytesMax];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) bytes[n++] = static_cast<char>(v | 0x80);
    bytes[n++] = static_cast<char>(v);
    out_->append(bytes, n);
  }
  /// Zigzag varint.
  void PutSigned(int64_t v) {
    PutVarint((static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63));
  }
  /// Varint length, then the bytes.
  void PutBytes(std::string_view bytes) {
    PutVarint(bytes.size());
    out_->append(bytes);
  }
  void PutRaw(std::string_view bytes) { out_->append(bytes); }
  /// As PutRaw for bytes that may be many, with room for as many more as `behind` says: so that these are not moved
  /// when those are appended.
  void PutLarge(std::string_view bytes, size_t behind) {
    if (bytes.size() >= kLargeBytes) out_->reserve(out_->size() + bytes.size() + behind);
    out_->append(bytes);
  }

  static constexpr size_t kVarintBytesMax = 10;
  static constexpr size_t kLargeBytes = size_t{64} << 10;

 private:
  void PutFixed(uint64_t v, size_t width) {
    char bytes[sizeof(v)];
    for (size_t i = 0; i < width; ++i) bytes[i] = static_cast<char>(v >> (8 * i));
    out_->append(bytes, width);
  }
  std::string* out_;
};

/// A few values in at most N bytes, in Encoder's formats, to be appended by PutRaw in one go: what a format writes often and
/// in small pieces costs a fraction so. The caller keeps within N.
template <size_t N>
class PieceEncoder {
 public:
  void PutU8(uint8_t v) { bytes_[size_++] = static_cast<char>(v); }
  void PutU16(uint16_t v) { PutFixed<2>(v); }
  void PutU64(uint64_t v) { PutFixed<8>(v); }
  void PutVarint(uint64_t v) {
    for (; v >= 0x80; v >>= 7) bytes_[size_++] = static_cast<char>(v | 0x80);
    bytes_[size_++] = static_cast<char>(v);
  }
  std::string_view bytes() const { return {bytes_, size_}; }

 private:
  template <size_t kWidth>
  void PutFixed(uint64_t v) {
    for (size_t i = 0; i < kWidth; ++i) bytes_[size_ + i] = static_cast<char>(v >> (8 * i));
    size_ += kWidth;
  }
  char bytes_[N];
  size_t size_ = 0;
};

/// Reads what Encoder wrote, from bytes that may be hostile. The first short or malformed read makes ok() false for
/// good and every later read returns zero or empty: read a whole structure, then ask once. Views point into the input.
class Decoder {
 public:
  explicit Decoder(std::string_view in) : in_(in) {}

  uint8_t GetU8() { return static_cast<uint8_t>(GetFixed(1)); }
  uint16_t GetU16() { return static_cast<uint16_t>(GetFixed(2)); }
  uint32_t GetU32() { return static_cast<uint32_t>(GetFixed(4)); }
  uint64_t GetU64() { return GetFixed(8); }
  /// Only the shortest encoding of a value is accepted, so that equal values have equal bytes.
  uint64_t GetVarint() {
    if (!in_.empty() && static_cast<uint8_t>(in_.front()) < 0x80) {
      const auto v = static_cast<uint8_t>(in_.front());
      in_.remove_prefix(1);
      return v;
    }
    return GetLongVarint();
  }
  int64_t GetSigned() {
    uint64_t v = GetVarint();
    return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
  }
  std::string_view GetBytes() { return GetRaw(GetVarint()); }
  std::string_view GetRaw(size_t n) {
    if (!ok_ || n > in_.size()) return Fail(), std::string_view();
    const std::string_view bytes = in_.substr(0, n);
    in_.remove_prefix(n);
    return bytes;
  }
  /// A varint that counts elements of at least min_bytes each; fails if the input cannot hold them, so that a hostile
  /// count never reserves memory.
  uint64_t GetCount(size_t min_bytes = 1);

  bool ok() const { return ok_; }
  bool done() const { return ok_ && in_.empty(); }
  size_t remaining() const { return in_.size(); }
  void Fail() {
    ok_ = false;
    in_ = {};
  }

 private:
  uint64_t GetFixed(size_t width) {
    if (in_.size() < width) return Fail(), 0;
    uint64_t v = 0;
    for (size_t i = 0; i < width; ++i) v |= static_cast<uint64_t>(static_cast<uint8_t>(in_[i])) << (8 * i);
    in_.remove_prefix(width);
    return v;
  }
  uint64_t GetLongVarint();
  std::string_view in_;
  bool ok_ = true;
};

}  // namespace orrery

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "orrery/base/varint.h"

namespace orrery {

/// Appends values to a byte string: little-endian fixed widths, LEB128 varints, length-prefixed bytes.
/// The string is the caller's. Every format of ours (rows, messages, node state) is written with this.
class Encoder {
 public:
  explicit Encoder(std::string* out) : out_(out) {}

  void PutU8(uint8_t v) { out_->push_back(static_cast<char>(v)); }
  void PutU16(uint16_t v) { PutFixed(v); }
  void PutU32(uint32_t v) { PutFixed(v); }
  void PutU64(uint64_t v) { PutFixed(v); }
  void PutVarint(uint64_t v) {
    char bytes[kVarintBytesMax];
    out_->append(bytes, varint::Write(v, bytes));
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

  static constexpr size_t kVarintBytesMax = orrery::kVarintBytesMax;
  static constexpr size_t kLargeBytes = size_t{64} << 10;

 private:
  template <typename T>
  void PutFixed(T v) {
    char bytes[sizeof(v)];
    StoreLittle(v, bytes);
    out_->append(bytes, sizeof(v));
  }
  std::string* out_;
};

/// A few values in at most N bytes, in Encoder's formats, to be appended by PutRaw in one go: what a format writes often and
/// in small pieces costs a fraction so. The caller keeps within N.
template <size_t N>
class PieceEncoder {
 public:
  void PutU8(uint8_t v) { bytes_[size_++] = static_cast<char>(v); }
  void PutU16(uint16_t v) { PutFixed(v); }
  void PutU64(uint64_t v) { PutFixed(v); }
  void PutVarint(uint64_t v) { size_ += varint::Write(v, bytes_ + size_); }
  std::string_view bytes() const { return {bytes_, size_}; }

 private:
  template <typename T>
  void PutFixed(T v) {
    StoreLittle(v, bytes_ + size_);
    size_ += sizeof(v);
  }
  char bytes_[N + kVarintBytesMax];  // a varint may write behind its end
  size_t size_ = 0;
};

/// Reads what Encoder wrote, from bytes that may be hostile. The first short or malformed read makes ok() false for
/// good and every later read returns zero or empty: read a whole structure, then ask once. Views point into the input.
class Decoder {
 public:
  explicit Decoder(std::string_view in) : in_(in) {}

  uint8_t GetU8() { return GetFixed<uint8_t>(); }
  uint16_t GetU16() { return GetFixed<uint16_t>(); }
  uint32_t GetU32() { return GetFixed<uint32_t>(); }
  uint64_t GetU64() { return GetFixed<uint64_t>(); }
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
  template <typename T>
  T GetFixed() {
    if (in_.size() < sizeof(T)) return Fail(), T{0};
    const T v = LoadLittle<T>(in_.data());
    in_.remove_prefix(sizeof(T));
    return v;
  }
  uint64_t GetLongVarint();
  std::string_view in_;
  bool ok_ = true;
};

}  // namespace orrery

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orrery::types {

/// A HyperLogLog: an estimate of how many different elements were added, in 16384 registers (Flajolet, Fusy,
/// Gandouet, Meunier, "HyperLogLog", 2007). Two of them are joined register by register, by the greater
/// value, so that it does not matter in which order, how often, or on which side of a cut something was
/// added.
///
/// Its text is the value of a string key, byte for byte in the format of Redis, so that it may be moved from
/// and to one:
///
///     "HYLL", encoding (1: 0 dense, 1 sparse), 3 unused, the last count (8, little-endian; the highest bit:
///     outdated) dense:   6 bits for each register, the lowest bits of a byte first sparse:  runs. 00llllll:
///     l+1 zeros. 01llllll llllllll: l+1 zeros. 1vvvvvll: l+1 times the value v+1
///
/// Pure; a value of 16 KiB.
class HyperLogLog {
 public:
  static constexpr size_t kRegisters = 16384;
  /// Sparse registers above that many bytes become dense, as in Redis by default.
  static constexpr size_t kSparseBytesMax = 3000;

  /// Whether the text begins as one does and has a length that it can have. What is in it may still be
  /// broken.
  static bool LooksLikeOne(std::string_view text);
  /// nullopt: the registers are broken. REQUIRES: LooksLikeOne().
  static std::optional<HyperLogLog> Parse(std::string_view text);

  /// Whether a register has grown.
  bool Add(std::string_view element);
  void Join(const HyperLogLog& other);
  /// The estimate of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017),
  /// algorithm 6: the number that Redis shows of the same registers.
  uint64_t Count() const;

  bool is_dense() const { return dense_; }
  /// What was dense stays so.
  void MakeDense() { dense_ = true; }
  uint8_t at(size_t i) const { return registers_[i]; }

  /// With its count marked as outdated: it is made anew from the registers whenever somebody asks.
  std::string Text() const;

 private:
  bool ReadDense(std::string_view bytes);
  bool ReadSparse(std::string_view bytes);
  /// False if a value is too great for it, or it would be too long.
  bool WriteSparse(std::string* out) const;
  void WriteDense(std::string* text) const;

  std::array<uint8_t, kRegisters> registers_{};
  bool dense_ = false;
};

/// MurmurHash64A (Austin Appleby; public domain), on which Redis's registers rest.
uint64_t MurmurHash64A(std::string_view bytes, uint64_t seed);

}  // namespace orrery::types

#include "types/crc64.h"

#include <array>
#include <cstddef>

namespace orrery::types {
namespace {

constexpr uint64_t kReflectedPolynomial = 0x95ac9329ac4bc9b5;

/// What each byte does to the checksum; a byte each round.
constexpr std::array<uint64_t, 256> MakeTable() {
  std::array<uint64_t, 256> table{};
  for (size_t byte = 0; byte < table.size(); ++byte) {
    uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kReflectedPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}
constexpr std::array<uint64_t, 256> kTable = MakeTable();

}  // namespace

uint64_t Crc64Jones(std::string_view bytes) {
  uint64_t crc = 0;
  for (const char c : bytes) crc = kTable[(crc ^ static_cast<uint8_t>(c)) & 0xff] ^ (crc >> 8);
  return crc;
}

}  // namespace orrery::types

#pragma once

#include <cstdint>
#include <string_view>

namespace orrery {

/// One of the equal parts of the hash ring, 0 .. kSlotCount-1 (Redis Cluster specification, "Key distribution model").
using SlotId = uint16_t;
inline constexpr uint32_t kSlotCount = 16384;

/// CRC-16/XMODEM, as in Redis Cluster.
uint16_t Crc16(std::string_view bytes);

/// The part of the key that is hashed: what stands between the first '{' and the next '}', if that is not empty.
std::string_view HashTag(std::string_view key);

SlotId SlotOf(std::string_view key);

}  // namespace orrery

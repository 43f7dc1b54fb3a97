#pragma once

#include <cstdint>
#include <string_view>

namespace orrery::types {

/// CRC-64 of A. D. Jones (polynomial 0xad93d23594c935a9, reflected, starting from 0), with which Redis seals
/// its dumps.
uint64_t Crc64Jones(std::string_view bytes);

}  // namespace orrery::types

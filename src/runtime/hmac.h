#pragma once

#include <string>
#include <string_view>

namespace orrery::runtime {

inline constexpr size_t kHmacBytes = 32;

/// HMAC-SHA256 (RFC 2104, FIPS 180-4) from OpenSSL's libcrypto.
std::string HmacSha256(std::string_view key, std::string_view message);

/// Compares in a time that does not depend on where the two differ.
bool EqualInConstantTime(std::string_view a, std::string_view b);

/// Bytes that nobody can foretell, for nonces.
std::string UnpredictableBytes(size_t n);

}  // namespace orrery::runtime

#include "runtime/hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "orrery/base/check.h"

namespace orrery::runtime {
namespace {

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string HmacSha256(std::string_view key, std::string_view message) {
  std::string mac(kHmacBytes, '\0');
  unsigned int length = 0;
  // An empty key must still be a key, not a null pointer.
  const std::string_view usable = key.empty() ? std::string_view("", 0) : key;
  const unsigned char* made =
      HMAC(EVP_sha256(), usable.data(), static_cast<int>(usable.size()), Bytes(message), message.size(),
           reinterpret_cast<unsigned char*>(mac.data()), &length);
  ORRERY_CHECK(made != nullptr && length == kHmacBytes);
  return mac;
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string UnpredictableBytes(size_t n) {
  std::string bytes(n, '\0');
  ORRERY_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(n)) == 1);
  return bytes;
}

}  // namespace orrery::runtime

#include "server/node/later_version.h"

#include <cstdlib>

#include "orrery/base/codec.h"

namespace orrery::server {
namespace {

constexpr uint8_t kUnknownType = 250;

}  // namespace

std::optional<runtime::PeerVersions> PretendedVersions() {
  const char* text = std::getenv("ORRERY_TEST_PEER_VERSIONS");
  if (text == nullptr) return std::nullopt;
  char* dash = nullptr;
  const auto min = static_cast<uint8_t>(std::strtoul(text, &dash, 10));
  if (*dash != '-') return std::nullopt;
  return runtime::PeerVersions{min, static_cast<uint8_t>(std::strtoul(dash + 1, nullptr, 10))};
}

bool PretendsUnknownMessages() {
  return std::getenv("ORRERY_TEST_UNKNOWN_MESSAGES") != nullptr;
}

void UnknownMessageTransport::Send(NodeId peer, std::string frame) {
  Encoder out(&frame);
  out.PutU8(kUnknownType);
  out.PutBytes("of a later version");
  transport_.Send(peer, std::move(frame));
}

}  // namespace orrery::server

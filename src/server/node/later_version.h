#pragma once

#include <optional>
#include <string>

#include "orrery/runtime/peer_versions.h"
#include "orrery/runtime/transport.h"

namespace orrery::server {

/// What tests of rolling upgrades let a node pretend to be: a later program. Both are asked for by the node's
/// environment, and nothing else sets them (docs/fault-tests.md).

/// ORRERY_TEST_PEER_VERSIONS="lowest-highest": the versions of the peer protocol that it says it speaks.
std::optional<runtime::PeerVersions> PretendedVersions();

/// ORRERY_TEST_UNKNOWN_MESSAGES=1: every frame ends with a message of a type that nobody knows yet.
bool PretendsUnknownMessages();

class UnknownMessageTransport final : public runtime::Transport {
 public:
  explicit UnknownMessageTransport(runtime::Transport* transport) : transport_(*transport) {}
  void Send(NodeId peer, std::string frame) override;

 private:
  runtime::Transport& transport_;
};

}  // namespace orrery::server

#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orrery/base/status.h"

namespace orrery::runtime {

/// An address of the kernel's, IPv4 or IPv6.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  /// The address alone, and with the port.
  std::string Host() const;
  std::string Text() const;
  uint16_t Port() const;
};

/// Nothing when the host is a name and not an address.
std::optional<SocketAddress> ParseAddress(const std::string& host, uint16_t port);
SocketAddress FromSockaddr(const sockaddr* address, socklen_t length);
/// Asks the resolver and blocks: for starting up only.
Result<std::vector<SocketAddress>> ResolveBlocking(const std::string& host, uint16_t port);

/// "prefix: what errno says".
Status SystemError(const std::string& prefix, int error);

/// Non-blocking, closed on exec.
Result<int> OpenSocket(int family);
/// kUnavailable: the machine lacks the address or its kind; kIoError: anything else.
Result<int> OpenListener(const SocketAddress& address, int backlog);
void SetOption(int fd, int level, int name, int value);
SocketAddress LocalAddressOf(int fd);
SocketAddress PeerAddressOf(int fd);

}  // namespace orrery::runtime

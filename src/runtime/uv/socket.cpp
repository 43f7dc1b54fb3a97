#include "runtime/uv/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "orrery/runtime/uv/tcp.h"

namespace orrery::runtime {

std::string SocketAddress::Host() const {
  char text[INET6_ADDRSTRLEN] = "?";
  if (storage.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, text, sizeof(text));
  } else if (storage.ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr, text, sizeof(text));
  }
  return text;
}

uint16_t SocketAddress::Port() const {
  if (storage.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  if (storage.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  return 0;
}

std::string SocketAddress::Text() const {
  const std::string host = Host();
  return (storage.ss_family == AF_INET6 ? "[" + host + "]" : host) + ":" + std::to_string(Port());
}

SocketAddress FromSockaddr(const sockaddr* address, socklen_t length) {
  SocketAddress result;
  std::memcpy(&result.storage, address, length);
  result.length = length;
  return result;
}

std::optional<SocketAddress> ParseAddress(const std::string& host, uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    return FromSockaddr(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    return FromSockaddr(reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
  }
  return std::nullopt;
}

Result<std::vector<SocketAddress>> ResolveBlocking(const std::string& host, uint16_t port) {
  if (const auto address = ParseAddress(host, port)) return std::vector<SocketAddress>{*address};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) return Status::IoError("cannot resolve " + host + ": " + gai_strerror(error));
  std::vector<SocketAddress> addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    addresses.push_back(FromSockaddr(at->ai_addr, at->ai_addrlen));
  }
  freeaddrinfo(found);
  return addresses;
}

Status SystemError(const std::string& prefix, int error) {
  return Status::IoError(prefix + ": " + std::generic_category().message(error));
}

namespace {

// The machine does not have this address, or nothing of its kind.
bool IsMissing(int error) {
  return error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == EPFNOSUPPORT || error == EPROTONOSUPPORT ||
         error == ESOCKTNOSUPPORT || error == ENOPROTOOPT;
}

}  // namespace

Result<int> OpenSocket(int family) {
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    const Status status = SystemError("cannot open a socket", errno);
    return IsMissing(errno) ? Status::Unavailable(status.message()) : status;
  }
  return fd;
}

Result<int> OpenListener(const SocketAddress& address, int backlog) {
  Result<int> fd = OpenSocket(address.storage.ss_family);
  if (!fd.ok()) return fd;
  SetOption(*fd, SOL_SOCKET, SO_REUSEADDR, 1);
  // Each address stands for itself: "any" of IPv6 leaves IPv4 to another listener of the port.
  if (address.storage.ss_family == AF_INET6) SetOption(*fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (bind(*fd, address.get(), address.length) != 0 || listen(*fd, backlog) != 0) {
    const int error = errno;
    close(*fd);
    const Status status = SystemError("cannot listen on " + address.Text(), error);
    return IsMissing(error) ? Status::Unavailable(status.message()) : status;
  }
  return fd;
}

void SetOption(int fd, int level, int name, int value) {
  // A connection works without any of the options set here, so a refusal is no error.
  static_cast<void>(setsockopt(fd, level, name, &value, sizeof(value)));
}

SocketAddress LocalAddressOf(int fd) {
  SocketAddress address;
  address.length = sizeof(address.storage);
  if (getsockname(fd, address.get(), &address.length) != 0) return {};
  return address;
}

SocketAddress PeerAddressOf(int fd) {
  SocketAddress address;
  address.length = sizeof(address.storage);
  if (getpeername(fd, address.get(), &address.length) != 0) return {};
  return address;
}

void CloseSocket(int fd) {
  if (fd >= 0) close(fd);
}

}  // namespace orrery::runtime

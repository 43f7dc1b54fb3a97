#include "orrery/runtime/uv/listen_address.h"

#include <netinet/in.h>
#include <uv.h>

#include "runtime/uv/socket.h"

namespace orrery::runtime {
namespace {

bool IsOfFamily(const uv_interface_address_t& address, int family) {
  if (address.is_internal != 0 || address.address.address4.sin_family != family) return false;
  return family != AF_INET6 || !IN6_IS_ADDR_LINKLOCAL(&address.address.address6.sin6_addr);
}

std::string HostOf(const uv_interface_address_t& address) {
  const bool is_v6 = address.address.address4.sin_family == AF_INET6;
  return FromSockaddr(reinterpret_cast<const sockaddr*>(&address.address),
                      is_v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in))
      .Host();
}

}  // namespace

ListenAddress ParseListenAddress(std::string_view word) {
  const bool optional = word.starts_with('-');
  if (optional) word.remove_prefix(1);
  if (word == "*") return {"0.0.0.0", optional};
  if (word == "::*") return {"::", optional};
  return {std::string(word), optional};
}

std::string AddressOfThisMachine() {
  uv_interface_address_t* addresses = nullptr;
  int count = 0;
  if (uv_interface_addresses(&addresses, &count) != 0) return "127.0.0.1";
  std::string host;
  for (const int family : {AF_INET, AF_INET6}) {
    for (int i = 0; i < count && host.empty(); ++i) {
      if (IsOfFamily(addresses[i], family)) host = HostOf(addresses[i]);
    }
  }
  uv_free_interface_addresses(addresses, count);
  return host.empty() ? "127.0.0.1" : host;
}

}  // namespace orrery::runtime

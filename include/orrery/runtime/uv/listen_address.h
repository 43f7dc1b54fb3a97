#pragma once

#include <string>
#include <string_view>

namespace orrery::runtime {

/// One word of `bind`, in Redis's spelling: an address or a name; "*" is every address of IPv4 and "::*"
/// every one of IPv6; after a "-" the machine may lack it. Value type.
struct ListenAddress {
  std::string host;
  bool optional = false;

  bool IsAny() const { return host == "0.0.0.0" || host == "::"; }
};

ListenAddress ParseListenAddress(std::string_view word);

/// Under which address other machines find this one, as far as it can know: that of its first interface that
/// is up and no loopback, IPv4 before IPv6, link-local ones left out; "127.0.0.1" if there is none.
std::string AddressOfThisMachine();

}  // namespace orrery::runtime

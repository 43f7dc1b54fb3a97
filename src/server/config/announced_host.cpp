#include "server/config/announced_host.h"

#include "orrery/runtime/uv/listen_address.h"

namespace orrery::server {

std::string AnnouncedHost(const Config& config) {
  if (!config.announce_ip.empty()) return config.announce_ip;
  std::string optional;
  bool any = false;
  for (const std::string& word : config.bind) {
    const runtime::ListenAddress address = runtime::ParseListenAddress(word);
    any = any || address.IsAny();
    if (address.IsAny()) continue;
    if (!address.optional) return address.host;
    if (optional.empty()) optional = address.host;
  }
  if (any) return runtime::AddressOfThisMachine();
  return optional.empty() ? "127.0.0.1" : optional;
}

}  // namespace orrery::server

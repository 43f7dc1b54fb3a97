#include "server/own_specs.h"

namespace orrery::server {
namespace {

constexpr uint32_t kPlain = commands::kNoscript | commands::kLoading | commands::kStale;

constexpr commands::CommandSpec Spec(std::string_view name, int arity, uint32_t flags,
                                     std::string_view summary) {
  commands::CommandSpec spec;
  spec.name = name;
  spec.arity = arity;
  spec.flags = flags;
  spec.group = "connection";
  spec.since = "1.0.0";
  spec.complexity = "O(1)";
  spec.summary = summary;
  return spec;
}

constexpr OwnSpec kSpecs[] = {
    {"client", Spec("quorum", -2, kPlain, "Sets or shows R and W of this connection")},
    {"client", Spec("tracking", -3, kPlain, "Refused: there is no client-side caching")},
    {"client", Spec("trackinginfo", 2, kPlain, "Tells that client-side caching is off")},
    {"client", Spec("getredir", 2, kPlain, "Tells that client-side caching is off")},
    {"client", Spec("caching", 3, kPlain, "Refused: there is no client-side caching")},
    {"client",
     Spec("unblock", -3, kPlain | commands::kAdmin, "Finds no client that is blocked by a command")},
    {"", Spec("monitor", 1, kPlain | commands::kAdmin, "Refused: commands are not streamed")},
};

}  // namespace

std::span<const OwnSpec> OwnSpecs() {
  return kSpecs;
}

}  // namespace orrery::server

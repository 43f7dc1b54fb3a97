#include "server/refused_commands.h"

namespace orrery::server {
namespace {

constexpr commands::CommandSpec Monitor() {
  commands::CommandSpec spec;
  spec.name = "monitor";
  spec.arity = 1;
  spec.flags = commands::kNoscript | commands::kLoading | commands::kStale | commands::kAdmin;
  spec.group = "server";
  spec.since = "1.0.0";
  spec.complexity = "O(1)";
  spec.summary = "Refused: commands are not streamed";
  return spec;
}

constexpr commands::CommandSpec kSpecs[] = {Monitor()};

}  // namespace

std::span<const commands::CommandSpec> RefusedCommands() {
  return kSpecs;
}

}  // namespace orrery::server

#include "server/node_main.h"

#include "orrery/server/node.h"

namespace orrery::server {

// A new life is a new node over the same directory: everything is read from the disk again, as after a
// restart.
int RunNode(ConfigStore& config, Log& log, const std::function<void()>& on_ready) {
  for (;;) {
    auto node = Node::Open(&config, &log);
    if (!node.ok()) {
      log.Warning("Cannot start: {}", node.status().message());
      return 1;
    }
    on_ready();
    if ((*node)->Run() == NodeEnd::kStopped) return 0;
  }
}

}  // namespace orrery::server

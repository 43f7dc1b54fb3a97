#include "server/node_main.h"

#include <utility>

#include "orrery/server/node.h"

namespace orrery::server {

// A new life is a new node over the same directory: everything is read from the disk again, as after a
// restart.
int RunNode(ConfigStore& config, Log& log, const std::function<void()>& on_ready) {
  for (bool again = true;;) {
    auto node = Node::Open(&config, &log);
    if (!node.ok()) {
      log.Warning("Cannot start: {}", node.status().message());
      // A damaged table file is taken out by the next opening, once.
      if (node.status().code() == StatusCode::kCorruption && std::exchange(again, false)) continue;
      return 1;
    }
    again = true;
    on_ready();
    if ((*node)->Run() == NodeEnd::kStopped) return 0;
  }
}

}  // namespace orrery::server

#include "server/node_main.h"

#include <string>
#include <utility>

#include "orrery/server/node.h"
#include "orrery/storage/rocks_wipe.h"
#include "server/node/node_files.h"

namespace orrery::server {
namespace {

/// What a reset, this process's or an earlier one's, has left to do. Whether the directory may be opened.
bool EndReset(const std::string& dir, Log& log) {
  const auto wiped = storage::FinishWipe(ResetMarkPath(dir), RowsPath(dir));
  if (!wiped.ok()) {
    log.Warning("Cannot finish CLUSTER RESET: {}", wiped.status().message());
    return false;
  }
  if (*wiped) log.Notice("The rows in {} were wiped by CLUSTER RESET", dir);
  return true;
}

}  // namespace

// A new life is a new node over the same directory: everything is read from the disk again, as after a
// restart.
int RunNode(ConfigStore& config, Log& log, const std::function<void()>& on_ready) {
  bool dials_seeds = true;
  for (bool again = true;;) {
    if (!EndReset(config.Get()->dir, log)) return 1;
    auto node = Node::Open(&config, &log, dials_seeds);
    if (!node.ok()) {
      log.Warning("Cannot start: {}", node.status().message());
      // A damaged table file is taken out by the next opening, once.
      if (node.status().code() == StatusCode::kCorruption && std::exchange(again, false)) continue;
      return 1;
    }
    again = true;
    on_ready();
    const NodeEnd end = (*node)->Run();
    if (end == NodeEnd::kStopped) return 0;
    // Who was taken out of a cluster does not go back by itself; a start of the process does what the
    // configuration says.
    if (end == NodeEnd::kReset) dials_seeds = false;
  }
}

}  // namespace orrery::server

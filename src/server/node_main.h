#pragma once

#include <functional>

#include "orrery/server/config.h"
#include "orrery/server/log.h"

namespace orrery::server {

/// Assembles a node from the settings: opens its store, starts its loops and their threads, joins its peers,
/// serves clients through a Server, and shuts all of it down in order on SIGTERM, SIGINT or SHUTDOWN. Returns
/// when everything is stopped; the result is the process's exit code, not 0 with a line in the log if the
/// node could not start. on_ready: called once clients are served.
int RunNode(ConfigStore& config, Log& log, const std::function<void()>& on_ready);

}  // namespace orrery::server

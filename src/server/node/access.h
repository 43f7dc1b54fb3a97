#pragma once

#include <memory>

#include "orrery/server/node_access.h"

namespace orrery::server {

class NodeLoop;

/// What the server's own commands may ask of this loop. The worker outlives it.
std::unique_ptr<NodeAccess> MakeNodeAccess(NodeLoop* loop);

}  // namespace orrery::server

#pragma once

#include "orrery/server/node_access.h"

namespace orrery::server {

class NodeLoop;

/// What INFO and RING show of one loop. On its thread.
LoopFacts GatherFacts(NodeLoop* worker);
SlotFacts GatherSlotFacts(NodeLoop* worker, SlotId slot);

}  // namespace orrery::server

#pragma once

#include "orrery/server/node_access.h"

namespace orrery::server {

class Worker;

/// What INFO and RING show of one loop. On its thread.
LoopFacts GatherFacts(Worker* worker);
SlotFacts GatherSlotFacts(Worker* worker, SlotId slot);

}  // namespace orrery::server

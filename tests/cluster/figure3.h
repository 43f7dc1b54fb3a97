#pragma once

#include <functional>

#include "cluster/processes.h"

namespace orrery::cluster {

/// Dynamo, Figure 3, on real processes: after the cut two sides write versions that both descend from one
/// that was read, each through one node; after the heal every node shows both, until one write joins them.
/// cut and heal return when the nodes know of it.
void ExpectBothVersionsStay(Processes* nodes, size_t one_side, size_t other_side,
                            const std::function<void()>& cut, const std::function<void()>& heal);

}  // namespace orrery::cluster

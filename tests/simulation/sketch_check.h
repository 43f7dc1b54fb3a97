#pragma once

#include <string>

#include "orrery/causality/slot_clock.h"
#include "simulation/history.h"

namespace orrery::simulation {

/// Keys of kind j are HyperLogLogs that are only ever added to and merged, on whatever side of a cut. So what
/// their siblings amount to, joined, is the join of every value that any event below the clock has written:
/// nothing that was counted is lost. What differs, empty if nothing does.
std::string SketchDifference(const History& history, SlotId slot, const causality::SlotClock& clock,
                             const std::string& key);

}  // namespace orrery::simulation

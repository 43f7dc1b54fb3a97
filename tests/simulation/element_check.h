#pragma once

#include <string>
#include <vector>

#include "orrery/causality/slot_clock.h"
#include "simulation/history.h"
#include "simulation/operation.h"

namespace orrery::simulation {

/// Whether the collection that the key holds at the clock has exactly the elements that it must have by what
/// clients did and what each of their commands saw, whatever cells and rows there are: an element is there if
/// somebody added it and nobody removed it who had seen that; a field of a hash shows a value that nobody
/// overwrote who had seen it. Empty if so; else what differs.
///
/// REQUIRES: the key is of a kind of which IsElementKind; operations: all that concern it.
std::string ElementDifference(const History& history, SlotId slot, const causality::SlotClock& clock,
                              const std::string& key, const std::vector<const Operation*>& operations);

/// Keys that are only ever changed by commands that name the elements that they add or remove, or by DEL.
bool IsElementKind(char kind);

}  // namespace orrery::simulation

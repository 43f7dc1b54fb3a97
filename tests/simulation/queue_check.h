#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "orrery/causality/slot_clock.h"
#include "simulation/history.h"
#include "simulation/operation.h"

namespace orrery::simulation {

/// Keys of kind k are lists that clients push to and wait at, and nothing else ever happens to them. So an
/// element that is gone was given: the reply of the command that removed it has it, if the client was told
/// anything; and the same coordinator gives an element once. faultless: there is one coordinator all the
/// time, so nothing is given twice by anybody. What is wrong, empty if nothing is.
std::string QueueDifference(const History& history, SlotId slot, const causality::SlotClock& clock,
                            const std::string& key, const std::map<uint64_t, Operation*>& operations,
                            bool faultless);

}  // namespace orrery::simulation

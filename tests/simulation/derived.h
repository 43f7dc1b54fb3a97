#pragma once

#include <string>

#include "orrery/base/slot.h"
#include "orrery/storage/row_store.h"

namespace orrery::simulation {

/// Compares what the store keeps of a slot beside its rows (keys, ends, what each collection amounts to) with
/// what those rows give when all of it is computed anew. Empty if they agree; else what differs.
std::string DerivedDifference(const storage::RowStore& store, SlotId slot);

}  // namespace orrery::simulation

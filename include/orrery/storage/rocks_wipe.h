#pragma once

#include <string>

#include "orrery/base/status.h"

namespace orrery::storage {

// Giving up a database for good, so that a crash at any moment leaves the old one whole or is followed by a
// new one: while the mark, an empty file, is there, what is in the database belongs to nobody, and whoever is
// about to open it first calls FinishWipe. Both wait for the disk.

/// Makes the mark, durably. On an error there is none, as far as the disk obeys.
Status MarkForWipe(const std::string& mark);

/// If there is a mark: empties the database's folder, then removes the mark, each durably before what comes
/// next. Whether there was one. kIoError: something cannot be removed, or the database is open, here or in
/// another process; the mark stays.
Result<bool> FinishWipe(const std::string& mark, const std::string& database);

}  // namespace orrery::storage

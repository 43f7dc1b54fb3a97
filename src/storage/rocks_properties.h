#pragma once

#include <rocksdb/db.h>

#include <cstdint>
#include <map>
#include <string>

#include "storage/rocks_instance.h"

namespace orrery::storage {

/// Adds what an instance says of itself: sizes, compactions, stalls.
void AddInstanceNumbers(RocksInstance* instance, std::map<std::string, uint64_t>* out);

}  // namespace orrery::storage

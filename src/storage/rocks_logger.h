#pragma once

#include <rocksdb/env.h>

#include <functional>
#include <memory>
#include <string_view>

namespace orrery::storage {

/// RocksDB's warnings and errors, line by line, to `log`; nowhere if it is empty. Never to a file: a log file
/// on a full disk must not be written again after its first error, or RocksDB aborts (see LogFiles).
std::shared_ptr<rocksdb::Logger> MakeRocksLogger(std::function<void(std::string_view)> log);

}  // namespace orrery::storage

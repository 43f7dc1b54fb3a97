#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/options.h>
#include <rocksdb/statistics.h>

#include <memory>
#include <string_view>

#include "orrery/storage/rocksdb_row_store.h"
#include "storage/slot_memtable.h"

namespace orrery::storage {

/// Bytes of a key that the prefix filters know: slot, database and hash of the key (row_key.h). A walk over
/// the rows of one key then skips every file that has none of them; walks over wider prefixes do not use the
/// filters.
inline constexpr size_t kFilterPrefixBytes = 9;

/// Whether the table has prefix filters.
bool HasPrefixFilter(Table table);
std::string_view FamilyName(Table table);

rocksdb::DBOptions MakeDbOptions(const RocksOptions& options,
                                 std::shared_ptr<rocksdb::Statistics> statistics);
/// latest, snapshots: see NewSlotMemTableFactory; not used for a table whose keys do not start with a slot.
rocksdb::ColumnFamilyOptions MakeFamilyOptions(
    const RocksOptions& options, Table table, const std::shared_ptr<rocksdb::Cache>& block_cache,
    const std::shared_ptr<LatestBuckets>& latest = nullptr,
    const std::shared_ptr<const SnapshotCount>& snapshots = nullptr);

}  // namespace orrery::storage

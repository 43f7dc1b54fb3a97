#pragma once

#include <rocksdb/memtablerep.h>

#include <cstddef>
#include <memory>

namespace orrery::storage {

/// Memtables for tables whose keys start with a slot: ordered buckets instead of one skip list.
///
/// A row's key starts with slot, database and hash of the key (row_key.h), which are spread evenly. So the
/// first bytes of a key, read as a number, give a bucket of a few entries, and since buckets are in the order
/// of the bytes, a walk over all of them in turn is in order too: as fast to insert into as a hash table, as
/// good to walk as a list. (RocksDB's own skip list costs some twenty comparisons and cache misses for each
/// row written, which is most of what a commit costs.) A bucket is itself a skip list, for the rows of a
/// large collection fall into one.
///
/// One writer at a time (allow_concurrent_memtable_write = false), readers at any time.
std::shared_ptr<rocksdb::MemTableRepFactory> NewSlotMemTableFactory(size_t write_buffer_bytes);

}  // namespace orrery::storage

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "orrery/base/status.h"

namespace orrery::storage {

/// The tables of a node's store. Each is an ordered map of byte strings; RocksDB keeps each in a column
/// family.
enum class Table : uint8_t {
  kRows,    ///< slot, row key -> encoded causality::Row; replicated
  kSlots,   ///< slot -> clock, voided set, digest, counters of the slot
  kHints,   ///< home, slot, actor, counter -> encoded event kept for an absent home
  kNode,    ///< node id, incarnation, membership, settings of the node itself
  kCounts,  ///< derived: key -> visible elements
  kExpiry,  ///< derived: slot, deadline, row key -> nothing
  kIndex,   ///< derived: orders inside a collection, such as scores
};
inline constexpr size_t kTableCount = 7;

/// Walks one table in key order. Made by a store or snapshot, which it must not outlive; used on that store's
/// thread. key() and value() live until the cursor moves.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual bool Valid() const = 0;
  /// REQUIRES: Valid() for all three.
  virtual void Next() = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  /// An unreadable block ends the walk: !Valid() with a status that is not ok is never "no more rows".
  virtual Status status() const = 0;
};

/// What a store held at one instant. Must not outlive its store.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual Result<std::optional<std::string>> Get(Table table, std::string_view key) const = 0;
  /// Keys that start with prefix and are >= from (which starts with prefix or is empty), in order.
  virtual std::unique_ptr<Cursor> Scan(Table table, std::string_view prefix,
                                       std::string_view from = {}) const = 0;
};

/// How far a commit goes before Commit returns (redis.conf: appendfsync).
enum class Durability : uint8_t {
  kMemory,  ///< handed to the operating system: survives kill -9, not a power cut
  kDisk,    ///< on the disk
};

/// A transactional, ordered, bounded-memory store of rows for one shard: RocksDB in production, a map that
/// forgets unsynced commits in the simulation; one contract test for both.
///
/// Group commit: Put, Delete and DeletePrefix gather in a pending batch that reads of the same RowStore
/// already see; Commit makes the whole batch durable atomically. Other shards' stores over the same database
/// see it only then. Owned by one loop and called on its thread. Several shards share one database: no two of
/// them write the same keys, and rows of kRows and kCounts are read with View and Get only by the shard that
/// writes them, because it may keep them in a cache of its own.
///
/// Errors: kCorruption means that stored bytes cannot be read (never "not found"). kIoError or kFull from
/// Commit means that nothing of the batch may be acknowledged: the batch is dropped, reads show what was
/// committed before it, and the store is failed, so that every further Commit returns the same error until
/// Reopen succeeds. A disk that fails one shard's commit fails those of all shards of the database.
class RowStore {
 public:
  virtual ~RowStore() = default;

  /// The value, or nothing. The view lives until the next call of this store, reads included (cursors not
  /// counted).
  virtual Result<std::optional<std::string_view>> View(Table table, std::string_view key) const = 0;
  /// View, as a copy that the caller keeps.
  Result<std::optional<std::string>> Get(Table table, std::string_view key) const;
  /// Hints for whoever is about to View a key of kRows and has others to look at first. PrefetchKey asks for
  /// the memory by which the row is found; what it returns goes, when that has come, to PrefetchRow, which
  /// asks for the row itself.
  virtual uint64_t PrefetchKey(std::string_view /*key*/) const { return 0; }
  /// The same once more, where it may have left the cache since.
  virtual void PrefetchAgain(uint64_t /*hint*/) const {}
  virtual void PrefetchRow(uint64_t /*hint*/) const {}
  virtual void Put(Table table, std::string_view key, std::string_view value) = 0;
  /// The same for a value that is needed no more: a large one is not copied.
  virtual void PutOwned(Table table, std::string_view key, std::string value) { Put(table, key, value); }
  virtual void Delete(Table table, std::string_view key) = 0;
  /// Deletes every key that starts with prefix, pending ones included.
  virtual void DeletePrefix(Table table, std::string_view prefix) = 0;
  /// As Snapshot::Scan, pending changes included. The cursor must not be used after the next change of the
  /// table or after Commit.
  virtual std::unique_ptr<Cursor> Scan(Table table, std::string_view prefix,
                                       std::string_view from = {}) const = 0;

  virtual bool HasPending() const = 0;
  /// kDisk also takes to the disk what earlier commits of this store left in memory, even if nothing is pending.
  [[nodiscard]] virtual Status Commit(Durability durability) = 0;

  /// Starts making every commit so far durable on disk; done runs on the loop's thread, possibly before this
  /// returns. An error fails the store as a failed Commit does. done is never called after the store is gone.
  virtual void SyncSoon(std::function<void(Status)> done) = 0;

  /// Tries to leave the failed state; to be called until it succeeds. Like a start of the process: what is
  /// pending is dropped, and reads then show what is on the disk, which may lack commits that were never
  /// synced and may have the batch that failed. So the caller loads its state anew and takes a new
  /// incarnation. Until it succeeds, reads may fail too, and it cannot succeed while cursors or snapshots
  /// made before are alive or another shard has not called it. Does nothing to a store that is not failed.
  [[nodiscard]] virtual Status Reopen() = 0;

  /// What is committed now, of one instant. REQUIRES: !HasPending().
  virtual std::unique_ptr<Snapshot> TakeSnapshot() const = 0;

  /// Forgets copies of committed rows that only save time: the next reads find them where they are stored.
  virtual void ForgetCachedRows() {}
};

inline Result<std::optional<std::string>> RowStore::Get(Table table, std::string_view key) const {
  const auto view = View(table, key);
  if (!view.ok()) return view.status();
  if (!*view) return std::optional<std::string>();
  return std::optional<std::string>(**view);
}

}  // namespace orrery::storage

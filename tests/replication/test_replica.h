#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "orrery/replication/slot_table.h"
#include "orrery/storage/memory_row_store.h"
#include "orrery/storage/row_key.h"
#include "orrery/storage/transaction.h"

namespace orrery::replication {

/// For tests that need no derived tables.
class NoObserver final : public storage::RowObserver {
 public:
  Status OnRowChange(const storage::ObservedChange&, storage::RowStore*) override { return Status::Ok(); }
};

/// A replica of some slots on a memory store, without network: applies events, makes own ones, merges.
class TestReplica {
 public:
  static constexpr SlotId kSlot = 7;
  static constexpr size_t kBacklogBytes = 1 << 20;

  explicit TestReplica(causality::Actor self, size_t backlog_bytes = kBacklogBytes)
      : self_(self), store_(database_.OpenShard()), slots_(store_.get(), &observer_, backlog_bytes) {}

  using Work = std::function<void(storage::Transaction*)>;
  /// The event that the work makes, applied here; nullptr if it changes nothing.
  causality::EventPtr Run(const Work& work);
  /// Whether it was the next one of its actor.
  bool Take(const causality::EventPtr& event);
  void MergeFrom(TestReplica* source);
  void Commit();

  SlotReplica& slot() { return slots_.At(kSlot); }
  SlotTable& slots() { return slots_; }
  storage::RowStore& store() { return *store_; }
  storage::MemoryDatabase& database() { return database_; }
  /// Row key -> encoded row.
  std::map<std::string, std::string> Rows() const;
  /// Digest and row count computed from the rows alone must be what the replica keeps.
  void CheckDigest();
  /// As after a restart: what was committed.
  void Reload();

 private:
  causality::Actor self_;
  storage::MemoryDatabase database_;
  NoObserver observer_;
  std::unique_ptr<storage::RowStore> store_;
  SlotTable slots_;
  causality::HybridTime now_ = 0;
};

inline std::string StringRow(std::string_view key) {
  return storage::EncodeRowKey({0, key, storage::RowTag::kString, {}});
}
inline std::string SetRow(std::string_view key, std::string_view element) {
  return storage::EncodeRowKey({0, key, storage::RowTag::kSet, element});
}

}  // namespace orrery::replication

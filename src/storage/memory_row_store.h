#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "orrery/storage/memory_row_store.h"
#include "storage/buffered_row_store.h"

namespace orrery::storage {

/// One shard's view of a MemoryDatabase.
class MemoryRowStore final : public BufferedRowStore {
 public:
  explicit MemoryRowStore(MemoryDatabase* database);
  ~MemoryRowStore() override;

  void SyncSoon(std::function<void(Status)> done) override;

 protected:
  Result<std::optional<std::string_view>> ReadCommitted(Table table, std::string_view key,
                                                        uint64_t hash) const override;
  std::unique_ptr<Cursor> ScanCommitted(Table table, std::string_view prefix,
                                        std::string_view start) const override;
  std::unique_ptr<Snapshot> SnapshotCommitted() const override;
  Status Write(const PendingBatch& batch, Durability durability) override;
  Status OpenAnew() override;

 private:
  friend class MemoryDatabase;
  MemoryDatabase* const database_;
};

}  // namespace orrery::storage

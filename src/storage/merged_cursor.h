#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "orrery/storage/row_store.h"
#include "storage/pending_batch.h"

namespace orrery::storage {

/// Walks what is committed and what is pending as one table: pending changes win, deleted keys do not show.
/// Must not outlive the batch's next change.
class MergedCursor final : public Cursor {
 public:
  /// committed: a cursor over the same table, prefix and start. start >= prefix.
  MergedCursor(std::unique_ptr<Cursor> committed, const PendingBatch& pending, Table table,
               std::string_view prefix, std::string_view start);

  bool Valid() const override { return at_ != Source::kNowhere; }
  void Next() override;
  std::string_view key() const override;
  std::string_view value() const override;
  Status status() const override { return committed_->status(); }

 private:
  enum class Source : uint8_t { kNowhere, kCommitted, kPending };

  void Settle();
  bool AtPendingEnd() const {
    return next_pending_ == pending_end_ || !next_pending_->first.starts_with(prefix_);
  }

  std::unique_ptr<Cursor> committed_;
  const PendingBatch& pending_;
  const Table table_;
  const std::string prefix_;
  PendingBatch::Ordered::const_iterator next_pending_;
  PendingBatch::Ordered::const_iterator pending_end_;
  Source at_ = Source::kNowhere;
};

}  // namespace orrery::storage

#include "storage/merged_cursor.h"

#include <utility>

namespace orrery::storage {

MergedCursor::MergedCursor(std::unique_ptr<Cursor> committed, const PendingBatch& pending, Table table,
                           std::string_view prefix, std::string_view start)
    : committed_(std::move(committed)), pending_(pending), table_(table), prefix_(prefix) {
  const PendingBatch::Ordered& order = pending_.InOrder(table_);
  next_pending_ = order.lower_bound(start);
  pending_end_ = order.end();
  Settle();
}

void MergedCursor::Next() {
  if (at_ == Source::kPending) {
    ++next_pending_;
  } else {
    committed_->Next();
  }
  Settle();
}

// Moves both sides forward to the first key that shows.
void MergedCursor::Settle() {
  at_ = Source::kNowhere;
  while (committed_->Valid() || !AtPendingEnd()) {
    // Beyond an unreadable block nobody knows what was committed: the walk is over, pending keys or not.
    if (!committed_->Valid() && !committed_->status().ok()) return;
    const bool has_pending = !AtPendingEnd();
    if (has_pending && (!committed_->Valid() || next_pending_->first <= committed_->key())) {
      if (committed_->Valid() && committed_->key() == next_pending_->first) committed_->Next();
      if (!pending_.change(next_pending_->second).deleted) {
        at_ = Source::kPending;
        return;
      }
      ++next_pending_;
    } else if (pending_.InDeletedPrefix(table_, committed_->key())) {
      committed_->Next();
    } else {
      at_ = Source::kCommitted;
      return;
    }
  }
}

std::string_view MergedCursor::key() const {
  return at_ == Source::kPending ? next_pending_->first : committed_->key();
}

std::string_view MergedCursor::value() const {
  return at_ == Source::kPending ? std::string_view(pending_.change(next_pending_->second).value)
                                 : committed_->value();
}

}  // namespace orrery::storage

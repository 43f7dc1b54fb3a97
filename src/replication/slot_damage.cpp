// What becomes of a replica whose stored bytes cannot be read.

#include <algorithm>
#include <utility>

#include "orrery/replication/readable_rows.h"
#include "orrery/replication/slot_replica.h"
#include "orrery/storage/row_key.h"

namespace orrery::replication {

using causality::Row;
using storage::Table;

void SlotReplica::Forget() {
  clock_ = causality::SlotClock();
  synced_ = causality::SlotClock();
  voided_ = causality::VoidedSet();
  digest_ = 0;
  row_count_ = 0;
  collection_rows_ = 0;
  backlog_ = Backlog();
}

void SlotReplica::NoteHalfApplied(const causality::Event& event) {
  if (!has_written_) return;
  half_done_ = true;
  for (const auto& scope : event.scopes) unknown_rows_.push_back(KeyRange::Under(scope.prefix));
  for (const auto& change : event.changes) unknown_rows_.push_back(KeyRange::Of(change.row_key));
}

void SlotReplica::NoteHalfMerged() {
  if (has_written_) Disbelieve();
}

void SlotReplica::Disbelieve() {
  half_done_ = true;
  half_merged_ = true;
}

Status SlotReplica::NoteLoss(const SlotLoss& loss) {
  has_loss_ = true;
  if (loss.state) {
    loaded_ = false;
    Forget();
  } else if (loaded_ && clock_.empty()) {
    // There was nothing to lose. Rows without a clock are half of a first event.
    has_loss_ = false;
    if (store_->Scan(Table::kRows, storage::SlotPrefix(id_))->Valid()) EraseAllRows();
    ForgetLoss(id_, store_);
    return Status::Ok();
  }
  unknown_rows_.insert(unknown_rows_.end(), loss.rows.begin(), loss.rows.end());
  return Status::Corruption("rows of it are not what its clock says, or are gone with a table file");
}

void SlotReplica::SetAside() {
  if (loaded_) aside_state_ = State();
  is_aside_ = true;
  if (half_done_) {
    // The halves are in this batch too, and a start that did not hear of it would take them for the whole.
    has_loss_ = true;
    replication::NoteLoss(id_, {half_merged_ || !loaded_, unknown_rows_}, store_);
  }
  if (loaded_ && !half_merged_) aside_ = SlotImage{clock_, voided_, {}, {}};
  Forget();
}

Result<SlotImage> SlotReplica::Remains() const {
  SlotImage image = *aside_;
  ReadableRows rows(
      id_,
      [this](std::string_view prefix, std::string_view from) { return store_->Scan(Table::kRows, prefix, from); },
      true);
  for (; rows.Valid(); rows.Next()) {
    Row row;
    if (causality::DecodeRow(rows.bytes(), &row)) image.rows.emplace(rows.row_key(), std::move(row));
  }
  if (!rows.status().ok()) return rows.status();
  image.holes = rows.TakeHoles();
  image.holes.insert(image.holes.end(), unknown_rows_.begin(), unknown_rows_.end());
  return image;
}

Status SlotReplica::Replace(const SlotImage& image) {
  Reset();
  is_aside_ = false;
  aside_.reset();
  for (const auto& [row_key, row] : image.rows) {
    if (Status s = WriteRow(row_key, {}, row); !s.ok()) return s;
    newest_ = std::max(newest_, row.MaxHlc());
  }
  clock_ = image.clock;
  voided_ = image.voided;
  dirty_ = true;
  return Status::Ok();
}

Status SlotReplica::Rebuild() {
  SlotImage image;
  if (loaded_) {
    image.clock = clock_;
    image.voided = voided_;
  }
  ReadableRows rows(
      id_,
      [this](std::string_view prefix, std::string_view from) { return store_->Scan(Table::kRows, prefix, from); },
      true);
  for (; rows.Valid(); rows.Next()) {
    storage::StoredRow stored;
    if (Status s = storage::DecodeStoredRow(rows.row_key(), rows.bytes(), &stored); !s.ok()) return s;
    for (const causality::Cell& cell : stored.row.cells) image.clock.Raise(cell.dot);
    image.rows.emplace(rows.row_key(), std::move(stored.row));
  }
  if (!rows.status().ok()) return rows.status();
  return Replace(image);
}

}  // namespace orrery::replication

#include "orrery/replication/merge_answer.h"

#include <utility>

#include "orrery/base/marks.h"
#include "orrery/storage/row_key.h"

namespace orrery::replication {

Status MergeAnswer::Fill(const std::vector<MergeAskMessage::Want>& wants) {
  for (const auto& want : wants) {
    // What is full begins nothing new.
    if (IsFull()) {
      answer_.until = want.range.begin;
      return Status::Ok();
    }
    const auto end = FillWant(want);
    if (!end.ok()) return end.status();
    if (*end == End::kFull) return Status::Ok();
  }
  answer_.complete = !wants.empty();
  return Status::Ok();
}

Result<MergeAnswer::End> MergeAnswer::FillWant(const MergeAskMessage::Want& want) {
  const auto cursor = snapshot_.Scan(storage::Table::kRows, storage::SlotPrefix(slot_),
                                     storage::WithSlot(slot_, want.range.begin));
  RangeHash piece;
  std::string last;
  for (; cursor->Valid(); cursor->Next()) {
    const std::string_view row_key = cursor->key().substr(storage::kSlotPrefixBytes);
    if (!want.range.IsBefore(row_key)) break;
    const bool full = IsFull() && !last.empty();
    if (full || (piece.rows > 0 && piece.rows == want.piece_rows)) {
      std::string end = want.piece_rows == 0 ? std::string(row_key) : KeyBetween(last, row_key);
      if (full) answer_.until = end;
      if (want.piece_rows > 0) EndPiece(std::move(end), &piece);
      if (full) return End::kFull;
    }
    if (want.piece_rows > 0) {
      piece.Add(row_key, cursor->value());
      looked_at_ += row_key.size() + cursor->value().size();
    } else {
      causality::Row row;
      if (!causality::DecodeRow(cursor->value(), &row)) return Status::Corruption("row does not decode");
      answer_.rows.emplace_back(row_key, cursor->value());
      sent_ += row_key.size() + cursor->value().size();
    }
    last = row_key;
  }
  if (!cursor->status().ok()) return cursor->status();
  if (want.piece_rows > 0) EndPiece(want.range.end, &piece);
  return End::kWantDone;
}

void MergeAnswer::EndPiece(std::string end, RangeHash* piece) {
  answer_.pieces.push_back({std::move(end), std::exchange(*piece, {})});
}

}  // namespace orrery::replication

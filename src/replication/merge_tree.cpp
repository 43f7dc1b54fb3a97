#include "orrery/replication/merge_tree.h"

#include <algorithm>
#include <utility>

#include "orrery/base/marks.h"
#include "orrery/storage/row_key.h"

namespace orrery::replication {

/// An answer while it is being taken, want by want.
struct MergeTree::Answer {
  const MergeTreeMessage& message;
  size_t pieces = 0;  ///< taken of it
  size_t rows = 0;

  bool Reaches(const KeyRange& range) const { return message.complete || range.begin < message.until; }
  /// What of the range is answered. REQUIRES: Reaches(range).
  KeyRange Answered(const KeyRange& range) const {
    return message.complete ? range : range.Cut({range.begin, message.until});
  }
};

MergeTree::Step MergeTree::Take(const MergeTreeMessage& message, const RangeHash& own) {
  if (message.step == 0) TakeRoot(message, own);
  if (asked_.empty()) return Step::kComplete;
  Answer answer{message};
  // Without progress this would go on for ever; but the first answer may have nothing but the root, if we
  // changed since.
  if (message.step > 0 && !answer.Reaches(asked_.front().range)) return Step::kMalformed;
  for (const Want& want : std::exchange(asked_, {})) {
    if (!TakeWant(want, &answer)) return status_.ok() ? Step::kMalformed : Step::kDamaged;
  }
  if (answer.pieces != message.pieces.size() || answer.rows != message.rows.size()) return Step::kMalformed;
  return wants_.empty() ? Step::kComplete : Step::kAsk;
}

void MergeTree::TakeRoot(const MergeTreeMessage& message, const RangeHash& own) {
  image_.clock = message.clock;
  image_.voided = message.voided;
  if (own.rows == message.image_rows && own.hash == message.image_digest) {
    ORRERY_MARK("merge of slots with equal rows");
    rows_equal_ = own.rows;
    equal_.Add(KeyRange());
    return;
  }
  asked_ = {{KeyRange(), PieceRows(message.image_rows)}};
}

bool MergeTree::TakeWant(const Want& want, Answer* answer) {
  KeyRange left = want.range;
  if (answer->Reaches(want.range)) {
    const KeyRange range = answer->Answered(want.range);
    if (!(want.piece_rows == 0 ? TakeRows(range, answer) : TakePieces(range, answer))) return false;
    if (range.end == want.range.end) return true;
    left.begin = range.end;
  }
  ORRERY_MARK("answer of a merge source goes less far than asked");
  AskFor(std::move(left), want.piece_rows);
  return true;
}

bool MergeTree::TakeRows(const KeyRange& range, Answer* answer) {
  const auto& rows = answer->message.rows;
  const std::string* last = nullptr;
  for (; answer->rows < rows.size() && range.Contains(rows[answer->rows].first); ++answer->rows) {
    const auto& [row_key, bytes] = rows[answer->rows];
    causality::Row row;
    if (!causality::DecodeRow(bytes, &row) || row.empty() || (last != nullptr && row_key <= *last))
      return false;
    image_.rows.insert_or_assign(row_key, std::move(row));
    last = &row_key;
  }
  sent_.Add(range);
  return true;
}

bool MergeTree::TakePieces(const KeyRange& range, Answer* answer) {
  const auto& pieces = answer->message.pieces;
  KeyRange piece{range.begin, range.begin};
  do {
    if (answer->pieces == pieces.size()) return false;
    const auto& [end, hash] = pieces[answer->pieces++];
    piece.begin = std::exchange(piece.end, end);
    const bool inside = end == range.end || (end > piece.begin && range.IsBefore(end));
    if (!inside || !Compare(piece, hash)) return false;
  } while (piece.end != range.end);
  return true;
}

bool MergeTree::Compare(const KeyRange& range, const RangeHash& theirs) {
  RangeHash own;
  status_ = HashOwn(range, theirs.rows, &own);
  if (!status_.ok()) return false;
  const bool equal = own.rows == theirs.rows &&
                     (own.hash == theirs.hash || ORRERY_MUTATION("ranges-compared-by-their-number-of-rows"));
  if (!equal) {
    Divide(range, theirs, own.rows);
    return true;
  }
  ORRERY_MARK("equal range of a merge");
  rows_equal_ += own.rows;
  equal_.Add(range);
  return true;
}

// Of the rows in the range, `theirs` are the image's; ours were counted no further than one more.
void MergeTree::Divide(const KeyRange& range, const RangeHash& theirs, uint64_t own_rows) {
  if (theirs.rows == 0) return sent_.Add(range);
  // A leaf; or most of it we cannot have.
  if (theirs.rows == 1 || theirs.bytes <= limits_.leaf_bytes || own_rows * 2 < theirs.rows)
    return AskFor(range, 0);
  ORRERY_MARK("range of a merge is divided further");
  AskFor(range, PieceRows(theirs.rows));
}

// Bounded by what the source has looked at for this answer: more rows than it has are no more looked at.
Status MergeTree::HashOwn(const KeyRange& range, uint64_t rows_max, RangeHash* hash) const {
  const auto cursor = own_(storage::WithSlot(slot_, range.begin));
  for (; cursor->Valid() && hash->rows <= rows_max; cursor->Next()) {
    const std::string_view row_key = cursor->key().substr(storage::kSlotPrefixBytes);
    if (!range.IsBefore(row_key)) return Status::Ok();
    hash->Add(row_key, cursor->value());
  }
  return cursor->Valid() ? Status::Ok() : cursor->status();
}

uint64_t MergeTree::PieceRows(uint64_t rows) const {
  const uint64_t fanout = std::max<uint64_t>(limits_.fanout, 2);
  return std::max<uint64_t>(1, (rows + fanout - 1) / fanout);
}

void MergeTree::AskFor(KeyRange range, uint64_t piece_rows) {
  std::string begin = range.begin;
  wants_.insert_or_assign(std::move(begin), Want{std::move(range), piece_rows});
}

MergeAskMessage MergeTree::Ask() {
  MergeAskMessage message;
  message.slot = slot_;
  message.step = ++step_;
  while (!wants_.empty() && message.wants.size() < kWantsMax) {
    message.wants.push_back(std::move(wants_.begin()->second));
    wants_.erase(wants_.begin());
  }
  asked_ = message.wants;
  return message;
}

void MergeTree::OnRowChange(std::string_view row_key, const causality::Row& before) {
  if (!equal_.Contains(row_key) || ORRERY_MUTATION("local-changes-of-equal-ranges-ignored")) return;
  ORRERY_MARK("row of an equal range changes before the merge is complete");
  const KeyRange alone = KeyRange::Of(row_key);
  equal_.Take(alone);
  sent_.Add(alone);
  if (!before.empty()) image_.rows.insert_or_assign(std::string(row_key), before);
}

void MergeTree::OnRangeErased(const KeyRange& range) {
  if (ORRERY_MUTATION("local-changes-of-equal-ranges-ignored")) return;
  for (KeyRange& erased : equal_.Take(range)) {
    ORRERY_MARK("equal range is erased before the merge is complete");
    AskFor(std::move(erased), 0);
  }
}

}  // namespace orrery::replication

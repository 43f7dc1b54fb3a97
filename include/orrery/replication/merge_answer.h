#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/base/slot.h"
#include "orrery/base/status.h"
#include "orrery/replication/messages.h"
#include "orrery/storage/row_store.h"

namespace orrery::replication {

/// Makes one answer of a merge that compares, from an image's snapshot: hashes and rows of the ranges that
/// are wanted, as far as its limits go. It looks at the rows on demand, nothing is kept between answers.
/// Lives for one call.
class MergeAnswer {
 public:
  /// Rows that are only looked at may be so many times as much as rows that are sent.
  static constexpr size_t kLookFactor = 4;

  MergeAnswer(const storage::Snapshot& snapshot, SlotId slot, size_t bytes_max, MergeTreeMessage* answer)
      : snapshot_(snapshot), slot_(slot), bytes_max_(bytes_max), answer_(*answer) {}

  /// At least one row's progress whatever the limits. kCorruption, or what the disk says: rows cannot be
  /// read.
  [[nodiscard]] Status Fill(const std::vector<MergeAskMessage::Want>& wants);

 private:
  enum class End { kWantDone, kFull };
  Result<End> FillWant(const MergeAskMessage::Want& want);
  bool IsFull() const { return sent_ >= bytes_max_ || looked_at_ >= bytes_max_ * kLookFactor; }
  void EndPiece(std::string end, RangeHash* piece);

  const storage::Snapshot& snapshot_;
  const SlotId slot_;
  const size_t bytes_max_;
  MergeTreeMessage& answer_;
  size_t sent_ = 0;
  size_t looked_at_ = 0;
};

}  // namespace orrery::replication

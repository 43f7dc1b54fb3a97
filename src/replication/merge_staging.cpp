#include "orrery/replication/merge_staging.h"

#include <utility>

#include "orrery/base/marks.h"

namespace orrery::replication {

MergeStaging::Step MergeStaging::Take(NodeId from, const MergePartMessage& part) {
  if (from != source_ || part.merge_id != merge_id_) return Step::kForeign;
  if (part.gone) return Step::kGone;
  if (part.part != next_part_) return Step::kForeign;
  if (part.part == 0) {
    image_.clock = part.clock;
    image_.voided = part.voided;
  }
  if (!TakeRows(part)) return Step::kMalformed;
  image_.holes = part.holes;
  ++next_part_;
  return part.last || ORRERY_MUTATION("clock-advanced-on-partial-merge") ? Step::kComplete : Step::kNextPart;
}

// A source walks its rows in order, so each row key is greater than all before it.
bool MergeStaging::TakeRows(const MergePartMessage& part) {
  for (const auto& [row_key, bytes] : part.rows) {
    causality::Row row;
    if (!causality::DecodeRow(bytes, &row) || row.empty()) return false;
    if (!image_.rows.empty() && row_key <= image_.rows.rbegin()->first) return false;
    image_.rows.emplace_hint(image_.rows.end(), row_key, std::move(row));
  }
  return true;
}

}  // namespace orrery::replication

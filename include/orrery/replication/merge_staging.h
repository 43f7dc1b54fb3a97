#pragma once

#include <cstdint>

#include "orrery/base/node_id.h"
#include "orrery/replication/messages.h"
#include "orrery/replication/slot_replica.h"

namespace orrery::replication {

/// A peer's image of one slot on its way to us, part by part, beside the rows: nothing of it counts until all
/// of it is there. Pure; owned by MergeRequester.
class MergeStaging {
 public:
  enum class Step {
    kNextPart,   ///< taken; ask for part next_part()
    kComplete,   ///< image() is whole
    kForeign,    ///< not the part that was asked for: a leftover of an earlier attempt
    kGone,       ///< the source has this image no more
    kMalformed,  ///< the peer is broken or hostile
  };

  MergeStaging(NodeId source, uint64_t merge_id) : source_(source), merge_id_(merge_id) {}

  Step Take(NodeId from, const MergePartMessage& part);

  NodeId source() const { return source_; }
  uint64_t merge_id() const { return merge_id_; }
  uint32_t next_part() const { return next_part_; }
  SlotImage& image() { return image_; }

 private:
  bool TakeRows(const MergePartMessage& part);

  NodeId source_;
  uint64_t merge_id_;
  uint32_t next_part_ = 0;
  SlotImage image_;
};

}  // namespace orrery::replication

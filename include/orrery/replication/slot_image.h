#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/causality/event.h"
#include "orrery/causality/row.h"
#include "orrery/causality/slot_clock.h"
#include "orrery/causality/voided_set.h"
#include "orrery/replication/key_range.h"

namespace orrery::replication {

/// A slot as another replica had it at one instant: what a merge brings.
struct SlotImage {
  causality::SlotClock clock;
  causality::VoidedSet voided;
  std::map<std::string, causality::Row> rows;
  /// Where a damaged replica could not read its rows: what the clock says is not true of these keys, nothing
  /// is known of them. Ascending.
  std::vector<KeyRange> holes;

  bool HasHoleAt(std::string_view row_key) const;
};

/// The merge rule over images with holes: each row is merged from the images that know it, and brought up to
/// date with `events`, a former backlog, in its order. The clock of the result is that of all images
/// together, which is true only if what an image could not read is known, as of its clock, from the others
/// and the events. nullopt: it is not, so that a merge would call events applied whose rows are lost.
std::optional<SlotImage> JoinImages(const std::vector<const SlotImage*>& images,
                                    const std::vector<causality::Event>& events);

/// The same, although some rows are lost: what no image can read is taken from whoever knows an older state
/// of it.
SlotImage JoinWhatIsLeft(const std::vector<const SlotImage*>& images,
                         const std::vector<causality::Event>& events);

}  // namespace orrery::replication

#include "orrery/replication/slot_image.h"

#include <algorithm>
#include <set>

#include "orrery/causality/merge.h"

namespace orrery::replication {

using causality::Knowledge;
using causality::Row;
using causality::SlotClock;
using causality::VoidedSet;

namespace {

using Images = std::vector<const SlotImage*>;
using Events = std::vector<causality::Event>;

bool Follows(const causality::Event& event, const SlotClock& clock) {
  return !clock.Covers(event.dot) && event.dot.counter == clock.Get(event.dot.actor) + 1;
}

bool KnowsRange(const SlotImage& image, const KeyRange& range) {
  return std::none_of(image.holes.begin(), image.holes.end(),
                      [&](const KeyRange& hole) { return hole.Meets(range); });
}

// Whether the others and the events tell of the image's holes all that its clock says.
bool IsMadeUpFor(const SlotImage& image, const Images& images, const Events& events) {
  return std::all_of(image.holes.begin(), image.holes.end(), [&](const KeyRange& hole) {
    SlotClock others;
    for (const SlotImage* other : images) {
      if (other != &image && KnowsRange(*other, hole)) others.Join(other->clock);
    }
    for (const auto& event : events) {
      if (Follows(event, others)) others.Advance(event.dot);
    }
    return others.CoversEveryDotOf(image.clock);
  });
}

void ApplyToRow(const causality::Event& event, const std::string& row_key, const Knowledge& before,
                Row* row) {
  for (const auto& scope : event.scopes) {
    if (row_key.starts_with(scope.prefix)) causality::ApplyScope(scope, row);
  }
  for (const auto& change : event.changes) {
    if (change.row_key == row_key) causality::ApplyChange(change, before, row);
  }
}

Row JoinRow(const std::string& row_key, const Images& images, const Events& events, const SlotClock& joined) {
  static const Row kNone;
  Row row;
  SlotClock clock;
  VoidedSet voided;
  for (const SlotImage* image : images) {
    if (image->HasHoleAt(row_key)) continue;
    const auto theirs = image->rows.find(row_key);
    row = causality::MergeRows(row_key, row, Knowledge{clock, voided},
                               theirs == image->rows.end() ? kNone : theirs->second,
                               Knowledge{image->clock, image->voided});
    clock.Join(image->clock);
    voided.Join(image->voided);
    voided.Prune(clock);
  }
  for (const auto& event : events) {
    if (!joined.Covers(event.dot) || !Follows(event, clock)) continue;
    ApplyToRow(event, row_key, Knowledge{clock, voided}, &row);
    causality::VoidUnseen(event, clock, &voided);
    clock.Advance(event.dot);
    voided.Prune(clock);
  }
  return row;
}

}  // namespace

bool SlotImage::HasHoleAt(std::string_view row_key) const {
  return std::any_of(holes.begin(), holes.end(),
                     [&](const KeyRange& hole) { return hole.Contains(row_key); });
}

std::optional<SlotImage> JoinImages(const Images& images, const Events& events) {
  const bool whole = std::all_of(images.begin(), images.end(),
                                 [&](const SlotImage* image) { return IsMadeUpFor(*image, images, events); });
  if (!whole) return std::nullopt;
  return JoinWhatIsLeft(images, events);
}

SlotImage JoinWhatIsLeft(const Images& images, const Events& events) {
  SlotImage joined;
  std::set<std::string> row_keys;
  for (const SlotImage* image : images) {
    joined.clock.Join(image->clock);
    joined.voided.Join(image->voided);
    for (const auto& [row_key, row] : image->rows) row_keys.insert(row_key);
  }
  joined.voided.Prune(joined.clock);
  for (const auto& event : events) {
    for (const auto& change : event.changes) row_keys.insert(change.row_key);
  }
  for (const std::string& row_key : row_keys) {
    Row row = JoinRow(row_key, images, events, joined.clock);
    if (!row.empty()) joined.rows.emplace_hint(joined.rows.end(), row_key, std::move(row));
  }
  return joined;
}

}  // namespace orrery::replication

#include "orrery/storage/hint_store.h"

#include <algorithm>

namespace orrery::storage {
namespace {

using causality::Actor;
using causality::Dot;

// Key in Table::kHints, all big-endian so that bytes sort as numbers do (docs/row-format.md):
//   home (8) | slot (2) | actor's node (8) | actor's incarnation (8) | counter (8)
constexpr size_t kKeyBytes = 34;
constexpr uint64_t kFirstCounter = 0;

template <typename T>
void Append(T value, std::string* out) {
  for (size_t i = sizeof(T); i-- > 0;) out->push_back(static_cast<char>(value >> (8 * i)));
}

template <typename T>
T Take(std::string_view* in) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>((value << 8) | static_cast<uint8_t>((*in)[i]));
  in->remove_prefix(sizeof(T));
  return value;
}

std::string HomePrefix(NodeId home) {
  std::string out;
  out.reserve(kKeyBytes);
  Append(home.value, &out);
  return out;
}

std::string HomeSlotPrefix(NodeId home, SlotId slot) {
  std::string out = HomePrefix(home);
  Append(slot, &out);
  return out;
}

std::string ActorPrefix(NodeId home, SlotId slot, const Actor& actor) {
  std::string out = HomeSlotPrefix(home, slot);
  Append(actor.node.value, &out);
  Append(actor.incarnation, &out);
  return out;
}

std::string HintKey(NodeId home, SlotId slot, const Dot& dot) {
  std::string out = ActorPrefix(home, slot, dot.actor);
  Append(dot.counter, &out);
  return out;
}

bool ParseHintKey(std::string_view key, Hint* hint) {
  if (key.size() != kKeyBytes) return false;
  hint->home.value = Take<uint64_t>(&key);
  hint->slot = Take<SlotId>(&key);
  hint->dot.actor.node.value = Take<uint64_t>(&key);
  hint->dot.actor.incarnation = Take<uint64_t>(&key);
  hint->dot.counter = Take<uint64_t>(&key);
  return hint->slot < kSlotCount;
}

uint64_t CostOf(std::string_view event) {
  return kKeyBytes + event.size();
}

}  // namespace

HintCursor::HintCursor(std::unique_ptr<Cursor> cursor, const OwnsSlot& owns_slot)
    : cursor_(std::move(cursor)), owns_slot_(owns_slot) {
  Settle();
}

void HintCursor::Next() {
  cursor_->Next();
  Settle();
}

void HintCursor::Settle() {
  valid_ = false;
  for (; cursor_->Valid(); cursor_->Next()) {
    malformed_ = !ParseHintKey(cursor_->key(), &hint_);
    if (malformed_) return;
    if (owns_slot_ == nullptr || owns_slot_(hint_.slot)) {
      hint_.event = cursor_->value();
      valid_ = true;
      return;
    }
  }
}

Status HintCursor::status() const {
  return malformed_ ? Status::Corruption("malformed key of a hint") : cursor_->status();
}

Result<std::unique_ptr<HintStore>> HintStore::Open(RowStore* store, Options options) {
  std::unique_ptr<HintStore> hints(new HintStore(store, std::move(options)));
  Status counted = hints->Rebuild();
  if (!counted.ok()) return counted;
  return hints;
}

Status HintStore::Rebuild() {
  ranges_.clear();
  totals_.clear();
  bytes_ = 0;
  HintCursor cursor(store_->Scan(Table::kHints, {}), options_.owns_slot);
  for (; cursor.Valid(); cursor.Next()) {
    const Hint& hint = cursor.hint();
    Count({hint.home, hint.slot, hint.dot.actor}, hint.dot.counter, CostOf(hint.event));
  }
  return cursor.status();
}

void HintStore::Count(const Stream& stream, uint64_t counter, uint64_t bytes) {
  const auto [it, is_new] = ranges_.try_emplace(stream, Range{stream.actor, counter, counter, 0, 0});
  Range& range = it->second;
  range.first = std::min(range.first, counter);
  range.last = std::max(range.last, counter);
  ++range.count;
  range.bytes += bytes;
  Totals& totals = totals_[stream.home];
  ++totals.count;
  totals.bytes += bytes;
  bytes_ += bytes;
}

void HintStore::Discount(const Stream& stream, uint64_t count, uint64_t bytes) {
  const auto home = totals_.find(stream.home);
  home->second.count -= count;
  home->second.bytes -= bytes;
  if (home->second.count == 0) totals_.erase(home);
  bytes_ -= bytes;
}

Status HintStore::Add(NodeId home, SlotId slot, const Dot& dot, std::string_view event) {
  return Keep({home, slot, dot.actor}, dot.counter, event, options_.bytes_max);
}

Status HintStore::AddOwn(NodeId home, SlotId slot, const Dot& dot, std::string_view event) {
  return Keep({home, slot, dot.actor}, dot.counter, event, UINT64_MAX);
}

Status HintStore::Keep(const Stream& stream, uint64_t counter, std::string_view event, uint64_t bytes_max) {
  const std::string key = HintKey(stream.home, stream.slot, {stream.actor, counter});
  const auto range = ranges_.find(stream);
  const bool may_be_kept =
      range != ranges_.end() && range->second.first <= counter && counter <= range->second.last;
  if (may_be_kept) {
    const auto kept = store_->View(Table::kHints, key);
    if (!kept.ok()) return kept.status();
    if (kept->has_value()) return Status::Ok();
  }
  if (bytes_ + CostOf(event) > bytes_max) return Status::Full("the hint store is full");
  store_->Put(Table::kHints, key, event);
  Count(stream, counter, CostOf(event));
  return Status::Ok();
}

Status HintStore::Remove(NodeId home, SlotId slot, const Dot& up_to) {
  const auto range = ranges_.find({home, slot, up_to.actor});
  if (range == ranges_.end() || up_to.counter < range->second.first) return Status::Ok();
  if (up_to.counter < range->second.last) return RemoveFirst(range, up_to.counter);
  store_->DeletePrefix(Table::kHints, ActorPrefix(home, slot, up_to.actor));
  Discount(range->first, range->second.count, range->second.bytes);
  ranges_.erase(range);
  return Status::Ok();
}

// Removes some, but not the last. Looks before it changes anything: an unreadable hint leaves all as it was.
Status HintStore::RemoveFirst(RangeMap::iterator it, uint64_t up_to) {
  const Stream& stream = it->first;
  Range& range = it->second;
  std::vector<uint64_t> counters;
  uint64_t bytes = 0;
  HintCursor cursor = Scan(stream.home, stream.slot, {stream.actor, kFirstCounter});
  for (; cursor.Valid() && cursor.hint().dot.counter <= up_to; cursor.Next()) {
    counters.push_back(cursor.hint().dot.counter);
    bytes += CostOf(cursor.hint().event);
  }
  if (!cursor.status().ok()) return cursor.status();
  if (!cursor.Valid()) return Status::Corruption("hints are missing");
  range.first = cursor.hint().dot.counter;
  range.count -= counters.size();
  range.bytes -= bytes;
  Discount(stream, counters.size(), bytes);
  for (const uint64_t counter : counters) {
    store_->Delete(Table::kHints, HintKey(stream.home, stream.slot, {stream.actor, counter}));
  }
  return Status::Ok();
}

HintCursor HintStore::Scan(NodeId home) const {
  return {store_->Scan(Table::kHints, HomePrefix(home)), options_.owns_slot};
}

HintCursor HintStore::Scan(NodeId home, SlotId slot) const {
  return {store_->Scan(Table::kHints, HomeSlotPrefix(home, slot)), options_.owns_slot};
}

HintCursor HintStore::Scan(NodeId home, SlotId slot, const Dot& from) const {
  const std::string prefix = ActorPrefix(home, slot, from.actor);
  return {store_->Scan(Table::kHints, prefix, HintKey(home, slot, from)), options_.owns_slot};
}

std::vector<SlotId> HintStore::Slots(NodeId home) const {
  std::vector<SlotId> slots;
  for (auto it = ranges_.lower_bound({home, 0, {}}); it != ranges_.end() && it->first.home == home; ++it) {
    if (slots.empty() || slots.back() != it->first.slot) slots.push_back(it->first.slot);
  }
  return slots;
}

std::vector<HintStore::Range> HintStore::Ranges(NodeId home, SlotId slot) const {
  std::vector<Range> ranges;
  for (auto it = ranges_.lower_bound({home, slot, {}});
       it != ranges_.end() && it->first.home == home && it->first.slot == slot; ++it) {
    ranges.push_back(it->second);
  }
  return ranges;
}

std::optional<HintStore::Range> HintStore::FindRange(NodeId home, SlotId slot, const Actor& actor) const {
  const auto it = ranges_.find({home, slot, actor});
  if (it == ranges_.end()) return std::nullopt;
  return it->second;
}

}  // namespace orrery::storage

#include "orrery/replication/slot_loss.h"

#include <algorithm>
#include <string>
#include <utility>

#include "orrery/base/codec.h"
#include "orrery/storage/row_key.h"

namespace orrery::replication {

using storage::LostRange;
using storage::Table;

namespace {

// Behind the slots, before the journals (slot_journal.cpp).
constexpr std::string_view kPrefix = "\xff\xfe";
constexpr std::string_view kBehindTheSlots = "\xff";
constexpr std::string_view kHintsKey = "hints-lost";  // in Table::kNode
constexpr uint8_t kFormat = 1;

std::string KeyOf(SlotId slot) {
  return std::string(kPrefix) + storage::SlotPrefix(slot);
}

// A key's slot; a key too short to have one stands before the slot that it would begin.
uint32_t SlotOf(std::string_view key) {
  const auto byte = [&](size_t i) {
    return i < key.size() ? static_cast<uint32_t>(static_cast<uint8_t>(key[i])) : 0U;
  };
  return byte(0) << 8 | byte(1);
}

std::string WithoutSlot(std::string_view key) {
  return std::string(key.substr(std::min(key.size(), storage::kSlotPrefixBytes)));
}

void NoteInSlot(const LostRange& range, SlotId slot, SlotLoss* loss) {
  if (range.table == Table::kSlots) loss->state = true;
  // Derived tables are made anew from the rows, with the slot.
  if (range.table != Table::kRows) return;
  KeyRange rows;
  if (SlotOf(range.first) == slot) rows.begin = WithoutSlot(range.first);
  if (SlotOf(range.last) == slot) rows.end = WithoutSlot(range.last) + '\0';
  if (std::find(loss->rows.begin(), loss->rows.end(), rows) == loss->rows.end())
    loss->rows.push_back(std::move(rows));
}

void NoteAll(std::map<SlotId, SlotLoss>* losses) {
  for (SlotId slot = 0; slot < kSlotCount; ++slot) (*losses)[slot].state = true;
}

std::string Encoded(const SlotLoss& loss) {
  std::string bytes;
  Encoder out(&bytes);
  out.PutU8(kFormat);
  out.PutU8(loss.state ? 1 : 0);
  out.PutVarint(loss.rows.size());
  for (const KeyRange& range : loss.rows) {
    out.PutBytes(range.begin);
    out.PutBytes(range.end);
  }
  return bytes;
}

bool Decode(std::string_view key, std::string_view bytes, std::map<SlotId, SlotLoss>* losses) {
  if (key.size() != kPrefix.size() + storage::kSlotPrefixBytes) return false;
  const uint32_t slot = SlotOf(key.substr(kPrefix.size()));
  Decoder in(bytes);
  if (in.GetU8() != kFormat || slot >= kSlotCount) return false;
  SlotLoss loss;
  loss.state = in.GetU8() != 0;
  const uint64_t count = in.GetCount(2);
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    std::string begin(in.GetBytes());
    loss.rows.push_back({std::move(begin), std::string(in.GetBytes())});
  }
  (*losses)[static_cast<SlotId>(slot)] = std::move(loss);
  return in.done();
}

}  // namespace

Status NoteLosses(const std::vector<LostRange>& ranges, storage::RowStore* store) {
  auto losses = LoadLosses(*store);
  if (!losses.ok()) return losses.status();
  for (const LostRange& range : ranges) {
    if (range.table == Table::kHints) store->Put(Table::kNode, kHintsKey, "1");
    if (range.table == Table::kHints || range.table == Table::kNode) continue;
    // Journals of states, or these notes themselves: which slots they were about, nobody can say.
    if (range.table == Table::kSlots && range.last >= kBehindTheSlots) NoteAll(&*losses);
    const uint32_t last = std::min<uint32_t>(SlotOf(range.last), kSlotCount - 1);
    for (uint32_t slot = SlotOf(range.first); slot <= last; ++slot) {
      NoteInSlot(range, static_cast<SlotId>(slot), &(*losses)[static_cast<SlotId>(slot)]);
    }
  }
  for (const auto& [slot, loss] : *losses) NoteLoss(slot, loss, store);
  return Status::Ok();
}

void NoteLoss(SlotId slot, const SlotLoss& loss, storage::RowStore* store) {
  store->Put(Table::kSlots, KeyOf(slot), Encoded(loss));
}

Result<std::map<SlotId, SlotLoss>> LoadLosses(const storage::RowStore& store) {
  std::map<SlotId, SlotLoss> losses;
  const auto cursor = store.Scan(Table::kSlots, kPrefix);
  bool readable = true;
  for (; cursor->Valid() && readable; cursor->Next())
    readable = Decode(cursor->key(), cursor->value(), &losses);
  const Status status = cursor->status();
  if (!status.ok() && status.code() != StatusCode::kCorruption) return status;
  if (!status.ok() || !readable) NoteAll(&losses);
  return losses;
}

Result<bool> HasLostHints(const storage::RowStore& store) {
  const auto noted = store.View(Table::kNode, kHintsKey);
  if (!noted.ok()) return noted.status();
  return noted->has_value();
}

void ForgetLostHints(storage::RowStore* store) {
  store->Delete(Table::kNode, kHintsKey);
}

void ForgetLoss(SlotId slot, storage::RowStore* store) {
  store->Delete(Table::kSlots, KeyOf(slot));
}

}  // namespace orrery::replication

#include "orrery/replication/slot_journal.h"

#include <map>
#include <utility>

#include "orrery/base/codec.h"
#include "orrery/storage/row_key.h"

namespace orrery::replication {

using storage::Table;

namespace {

// No slot's prefix begins like this.
constexpr std::string_view kJournalPrefix = "\xff\xff";
// An own value that does not parse.
constexpr std::string_view kDamaged = "\xff";

void AppendBigEndian(uint64_t value, size_t width, std::string* out) {
  for (size_t i = width; i-- > 0;) out->push_back(static_cast<char>(value >> (8 * i)));
}

// Prefix, loop (2), sequence (8): the records of a loop stand in their order.
std::string RecordKey(size_t loop_index, uint64_t sequence) {
  std::string key(kJournalPrefix);
  AppendBigEndian(loop_index, 2, &key);
  AppendBigEndian(sequence, 8, &key);
  return key;
}

uint64_t SequenceOf(std::string_view key) {
  uint64_t sequence = 0;
  for (const char byte : key.substr(key.size() - 8)) sequence = sequence << 8 | static_cast<uint8_t>(byte);
  return sequence;
}

std::string OwnValue(uint64_t as_of, std::string_view state) {
  std::string value;
  value.reserve(Encoder::kVarintBytesMax + state.size());
  Encoder out(&value);
  out.PutVarint(as_of);
  out.PutRaw(state);
  return value;
}

struct Newest {
  uint64_t sequence = 0;
  std::string state;
};

Status ReadRecord(std::string_view key, std::string_view bytes, std::map<SlotId, Newest>* newest) {
  if (key.size() != kJournalPrefix.size() + 10) return Status::Corruption("slot journal: malformed key");
  const uint64_t sequence = SequenceOf(key);
  Decoder in(bytes);
  while (in.ok() && in.remaining() > 0) {
    const SlotId slot = in.GetU16();
    const std::string_view state = in.GetBytes();
    if (slot >= kSlotCount) in.Fail();
    if (!in.ok()) break;
    Newest& known = (*newest)[slot];
    if (sequence >= known.sequence) known = {sequence, std::string(state)};
  }
  return in.ok() ? Status::Ok() : Status::Corruption("slot journal: a record does not decode");
}

Status PutIfNewer(SlotId slot, const Newest& newest, storage::RowStore* store) {
  const std::string key = storage::SlotPrefix(slot);
  const auto own = store->Get(Table::kSlots, key);
  if (!own.ok()) return own.status();
  if (*own) {
    // A value that does not decode stays: loading the slot finds the damage.
    const auto parsed = SlotJournal::ParseOwn(**own);
    if (!parsed || parsed->as_of >= newest.sequence) return Status::Ok();
  }
  store->Put(Table::kSlots, key, OwnValue(newest.sequence, newest.state));
  return Status::Ok();
}

Status ReadJournals(const storage::RowStore& store, std::map<SlotId, Newest>* newest) {
  const auto cursor = store.Scan(Table::kSlots, kJournalPrefix);
  for (; cursor->Valid(); cursor->Next()) {
    if (Status s = ReadRecord(cursor->key(), cursor->value(), newest); !s.ok()) return s;
  }
  return cursor->status();
}

// Which slots an unreadable record was about, nobody can say: each is made anew from what other homes have.
void MarkAllDamaged(storage::RowStore* store) {
  for (SlotId slot = 0; slot < kSlotCount; ++slot) store->Put(Table::kSlots, storage::SlotPrefix(slot), kDamaged);
}

}  // namespace

std::optional<SlotJournal::Own> SlotJournal::ParseOwn(std::string_view bytes) {
  Decoder in(bytes);
  Own own;
  own.as_of = in.GetVarint();
  own.state = in.GetRaw(in.remaining());
  if (!in.ok()) return std::nullopt;
  return own;
}

SlotJournal::SlotJournal(storage::RowStore* store, size_t loop_index, size_t bytes_max)
    : store_(store), loop_index_(loop_index), bytes_max_(bytes_max), latest_(kSlotCount, 0) {}

void SlotJournal::PutOwn(SlotId slot, std::string_view state) {
  latest_[slot] = 0;
  store_->Put(Table::kSlots, storage::SlotPrefix(slot), OwnValue(sequence_, state));
}

void SlotJournal::BeginRecord() {
  buffer_.clear();
  records_.push_back({++sequence_, 0, {}});
}

void SlotJournal::AddToRecord(SlotId slot, std::string_view state) {
  Encoder out(&buffer_);
  out.PutU16(slot);
  out.PutBytes(state);
  records_.back().slots.push_back(slot);
  latest_[slot] = sequence_;
}

void SlotJournal::EndRecord() {
  store_->Put(Table::kSlots, RecordKey(loop_index_, sequence_), buffer_);
  records_.back().bytes = buffer_.size();
  bytes_ += buffer_.size();
}

std::vector<SlotId> SlotJournal::DropOldest() {
  const Record oldest = std::move(records_.front());
  records_.pop_front();
  bytes_ -= oldest.bytes;
  store_->Delete(Table::kSlots, RecordKey(loop_index_, oldest.sequence));
  std::vector<SlotId> only_here;
  for (SlotId slot : oldest.slots) {
    if (latest_[slot] == oldest.sequence) only_here.push_back(slot);
  }
  return only_here;
}

Status FoldSlotJournals(storage::RowStore* store) {
  std::map<SlotId, Newest> newest;
  const Status read = ReadJournals(*store, &newest);
  if (read.ok() && newest.empty()) return Status::Ok();
  if (read.code() == StatusCode::kCorruption) {
    newest.clear();
    MarkAllDamaged(store);
  } else if (!read.ok()) {
    return read;
  }
  for (const auto& [slot, state] : newest) {
    if (Status s = PutIfNewer(slot, state, store); !s.ok()) return s;
  }
  store->DeletePrefix(Table::kSlots, kJournalPrefix);
  return store->Commit(storage::Durability::kDisk);
}

Result<bool> HasSlotJournals(const storage::RowStore& store) {
  const auto cursor = store.Scan(Table::kSlots, kJournalPrefix);
  if (!cursor->status().ok()) return cursor->status();
  return cursor->Valid();
}

}  // namespace orrery::replication

#include "orrery/replication/seat_book.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "orrery/base/marks.h"

namespace orrery::replication {
namespace {

constexpr std::string_view kPrefix = "seat";
constexpr uint64_t kCompareUs = 1'000'000;

// Prefix, slot (2, big-endian), index.
std::string KeyOf(const SeatRecord& record) {
  std::string key(kPrefix);
  key.push_back(static_cast<char>(record.slot >> 8));
  key.push_back(static_cast<char>(record.slot & 0xff));
  key.push_back(static_cast<char>(record.index));
  return key;
}

}  // namespace

Status SeatBook::Load() {
  const auto cursor = context_.store->Scan(storage::Table::kNode, kPrefix);
  for (; cursor->Valid(); cursor->Next()) {
    Decoder in(cursor->value());
    const SeatRecord record = DecodeSeatRecord(&in);
    if (!in.done()) return Status::Corruption("a stored seat does not decode");
    Merge(record);
  }
  return cursor->status();
}

bool SeatBook::Merge(const SeatRecord& record) {
  if (!context_.seats.Merge(record)) return false;
  if (context_.seats.HasPending(record.slot)) {
    context_.pending_since_us.try_emplace(record.slot, context_.clock->MonotonicUs());
  } else {
    context_.pending_since_us.erase(record.slot);
  }
  return true;
}

void SeatBook::Record(const SeatRecord& record) {
  if (!Merge(record)) return;
  std::string bytes;
  Encoder out(&bytes);
  EncodeSeatRecord(record, &out);
  context_.store->Put(storage::Table::kNode, KeyOf(record), bytes);
  written_.push_back(record);
  // A seat changes hands on the disk, whatever else may wait.
  context_.sync_turn = true;
}

std::vector<SlotId> SeatBook::Learn(const std::vector<SeatRecord>& records) {
  std::vector<SlotId> changed;
  for (const SeatRecord& record : records) {
    if (!Merge(record) || !context_.Owns(record.slot)) continue;
    std::string bytes;
    Encoder out(&bytes);
    EncodeSeatRecord(record, &out);
    context_.store->Put(storage::Table::kNode, KeyOf(record), bytes);
    changed.push_back(record.slot);
  }
  std::sort(changed.begin(), changed.end());
  changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
  return changed;
}

std::vector<SlotId> SeatBook::AfterCommit() {
  std::vector<SlotId> changed;
  if (written_.empty()) return changed;
  for (const SeatRecord& record : written_) changed.push_back(record.slot);
  const SeatsMessage message{std::exchange(written_, {})};
  for (const NodeId peer : context_.linked) context_.outbox->SendDurable(peer, message);
  for (size_t loop = 0; loop < context_.options.loop_count; ++loop) {
    if (loop != context_.options.loop_index) mesh_->PostMessage(loop, context_.self.node, message);
  }
  return changed;
}

// ---- comparing ----

// An old disk may know of no record, or a newcomer, and is to hear of them before it serves.
void SeatBook::Compare(NodeId peer) {
  context_.outbox->Send(peer, SeatDigestsMessage{false, context_.seats.digests()});
}

// The answer comes to the loop whose link leads here; what we lacked has come before it, by the same queue, to all loops.
void SeatBook::OnCompared(NodeId with) {
  if (context_.seats_compared || context_.view->awaits_meeting || context_.view->Find(with) == nullptr)
    return;
  context_.seats_compared = true;
  for (size_t loop = 0; loop < context_.options.loop_count; ++loop) {
    if (loop == context_.options.loop_index) continue;
    mesh_->PostMessage(loop, with, SeatDigestsMessage{true, context_.seats.digests()});
  }
}

void SeatBook::OnViewChanged() {
  if (context_.seats_compared) return;
  for (const NodeId peer : context_.linked) Compare(peer);
}

void SeatBook::OnPeerUp(NodeId peer) {
  if (!context_.seats_compared) return Compare(peer);
  if (!context_.seats.empty()) context_.outbox->Send(peer, SeatHashMessage{context_.seats.Hash()});
}

// Without records there is nothing to compare: whoever has some says so.
void SeatBook::Tick(uint64_t now_us) {
  if (context_.options.loop_index != 0 || now_us < next_us_) return;
  next_us_ = now_us + kCompareUs;
  if (context_.seats.empty() || context_.linked.empty()) return;
  const auto peer = std::next(context_.linked.begin(),
                              static_cast<std::ptrdiff_t>(context_.random->Below(context_.linked.size())));
  context_.outbox->Send(*peer, SeatHashMessage{context_.seats.Hash()});
}

void SeatBook::OnHash(NodeId from, const SeatHashMessage& message) {
  if (message.hash == context_.seats.Hash()) return;
  ORRERY_MARK("seat tables differ");
  context_.outbox->Send(from, SeatDigestsMessage{false, context_.seats.digests()});
}

void SeatBook::OnDigests(NodeId from, const SeatDigestsMessage& message) {
  SeatsMessage records;
  for (size_t chunk = 0; chunk < SeatTable::kChunks; ++chunk) {
    if (message.digests[chunk] == context_.seats.digests()[chunk]) continue;
    const auto of_chunk = context_.seats.RecordsOfChunk(chunk);
    records.records.insert(records.records.end(), of_chunk.begin(), of_chunk.end());
  }
  // What we know of our own seats may be of this turn: it leaves when that is on the disk.
  if (!records.records.empty()) context_.outbox->SendDurable(from, records);
  if (message.answer) OnCompared(from);
  // Behind the records: whoever has compared serves by what it knows then. What a newcomer knows is nothing
  // to compare with.
  if (!message.answer && !context_.view->awaits_meeting)
    context_.outbox->SendDurable(from, SeatDigestsMessage{true, context_.seats.digests()});
}

}  // namespace orrery::replication

#include "orrery/replication/seats.h"

#include <algorithm>
#include <string>

#include "orrery/base/hash.h"
#include "orrery/base/prefetch.h"

namespace orrery::replication {
namespace {

uint64_t HashOf(const SeatRecord& record) {
  std::string bytes;
  Encoder out(&bytes);
  EncodeSeatRecord(record, &out);
  const uint64_t hash = Hash64(bytes);
  return hash == 0 ? 1 : hash;
}

bool Contains(std::span<const NodeId> nodes, NodeId node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

}  // namespace

void EncodeSeatRecord(const SeatRecord& record, Encoder* out) {
  out->PutU16(record.slot);
  out->PutU8(record.index);
  out->PutVarint(record.seat.version);
  out->PutU64(record.seat.owner.value);
  out->PutU64(record.seat.giver.value);
  out->PutU8(record.seat.in_service ? 1 : 0);
}

SeatRecord DecodeSeatRecord(Decoder* in) {
  SeatRecord record;
  record.slot = in->GetU16();
  record.index = in->GetU8();
  record.seat.version = in->GetVarint();
  record.seat.owner.value = in->GetU64();
  record.seat.giver.value = in->GetU64();
  const uint8_t in_service = in->GetU8();
  record.seat.in_service = in_service == 1;
  const bool fits = record.slot < kSlotCount && record.index < SeatTable::kSeatsMax &&
                    record.seat.version > 0 && record.seat.owner && in_service <= 1;
  if (!fits) in->Fail();
  return in->ok() ? record : SeatRecord();
}

bool Supersedes(const Seat& seat, const Seat& known) {
  if (seat.version != known.version) return seat.version > known.version;
  if (seat.owner != known.owner) return seat.owner > known.owner;
  if (seat.in_service != known.in_service) return seat.in_service;
  return seat.giver > known.giver;
}

SeatTable::SeatTable() : slots_(kSlotCount) {}

void SeatTable::SetFounders(std::shared_ptr<const ring::Ring> founders) {
  if (founders == founders_) return;
  ++changes_;
  founders_ = std::move(founders);
  if (empty()) return;
  for (SlotId slot = 0; slot < kSlotCount; ++slot) {
    if (HasRecords(slot)) Refresh(slot);
  }
}

bool SeatTable::Merge(const SeatRecord& record) {
  auto& records = slots_[record.slot].records;
  auto at = std::find_if(records.begin(), records.end(),
                         [&](const SeatRecord& known) { return known.index >= record.index; });
  uint64_t& digest = digests_[record.slot / kChunkSlots];
  if (at == records.end() || at->index != record.index) {
    records.insert(at, record);
  } else {
    if (!Supersedes(record.seat, at->seat)) return false;
    digest -= HashOf(*at);
    hash_ -= HashOf(*at);
    *at = record;
  }
  ++changes_;
  recorded_.set(record.slot);
  digest += HashOf(record);
  hash_ += HashOf(record);
  Refresh(record.slot);
  return true;
}

void SeatTable::Refresh(SlotId id) {
  Slot& slot = slots_[id];
  slot.owners.clear();
  slot.in_service.clear();
  size_t unread = 0;
  for (uint8_t index = 0; index < SeatsEnd(id); ++index) {
    const Seat seat = SeatAt(id, index);
    if (!seat.owner) continue;
    const bool never_in_service = !seat.in_service && seat.version == 1 && index >= Founders(id).size();
    unread += never_in_service ? 1 : 0;
    const auto known = std::find(slot.owners.begin(), slot.owners.end(), seat.owner);
    if (known == slot.owners.end()) {
      slot.owners.push_back(seat.owner);
      slot.in_service.push_back(seat.in_service);
    } else if (seat.in_service) {
      slot.in_service[static_cast<size_t>(known - slot.owners.begin())] = true;
    }
  }
  slot.read_seats = slot.owners.size() - std::min(unread, slot.owners.size());
}

std::span<const NodeId> SeatTable::Founders(SlotId slot) const {
  return founders_ ? founders_->Homes(slot) : std::span<const NodeId>();
}

std::span<const NodeId> SeatTable::Owners(SlotId slot) const {
  return HasRecords(slot) ? std::span<const NodeId>(slots_[slot].owners) : Founders(slot);
}

void SeatTable::PrefetchOwners(SlotId slot) const {
  if (HasRecords(slot)) return PrefetchBytes(&slots_[slot], sizeof(Slot));
  const std::span<const NodeId> founders = Founders(slot);
  PrefetchBytes(founders.data(), founders.size_bytes());
}

bool SeatTable::IsOwner(SlotId slot, NodeId node) const {
  return Contains(Owners(slot), node);
}

bool SeatTable::InService(SlotId slot, NodeId node) const {
  const auto owners = Owners(slot);
  const auto at = std::find(owners.begin(), owners.end(), node);
  if (at == owners.end()) return false;
  return !HasRecords(slot) || slots_[slot].in_service[static_cast<size_t>(at - owners.begin())];
}

size_t SeatTable::InServiceCount(SlotId slot) const {
  if (!HasRecords(slot)) return Founders(slot).size();
  const auto& in_service = slots_[slot].in_service;
  return static_cast<size_t>(std::count(in_service.begin(), in_service.end(), true));
}

uint8_t SeatTable::SeatsEnd(SlotId slot) const {
  const auto& records = slots_[slot].records;
  const size_t recorded = records.empty() ? 0 : records.back().index + size_t{1};
  return static_cast<uint8_t>(std::max(recorded, std::min<size_t>(Founders(slot).size(), kSeatsMax)));
}

Seat SeatTable::SeatAt(SlotId slot, uint8_t index) const {
  for (const SeatRecord& record : slots_[slot].records) {
    if (record.index == index) return record.seat;
  }
  const auto founders = Founders(slot);
  Seat seat;
  if (index < founders.size()) seat.owner = founders[index];
  return seat;
}

std::vector<SeatRecord> SeatTable::RecordsOf(SlotId slot) const {
  return slots_[slot].records;
}

std::vector<SeatRecord> SeatTable::RecordsOfChunk(size_t chunk) const {
  std::vector<SeatRecord> records;
  for (size_t slot = chunk * kChunkSlots; slot < (chunk + 1) * kChunkSlots; ++slot) {
    const auto& of_slot = slots_[slot].records;
    records.insert(records.end(), of_slot.begin(), of_slot.end());
  }
  return records;
}

std::vector<Handover> PlanHandovers(const SeatTable& seats, SlotId slot, std::span<const NodeId> wanted) {
  std::vector<Handover> handovers;
  std::vector<NodeId> takers;
  for (const NodeId node : wanted) {
    if (!seats.IsOwner(slot, node)) takers.push_back(node);
  }
  if (takers.empty()) return handovers;
  auto taker = takers.begin();
  std::vector<NodeId> seated;
  const uint8_t end = seats.SeatsEnd(slot);
  for (uint8_t index = 0; index < end && taker != takers.end(); ++index) {
    const Seat seat = seats.SeatAt(slot, index);
    const bool spare = !Contains(wanted, seat.owner) || Contains(seated, seat.owner);
    seated.push_back(seat.owner);
    if (spare && seat.owner) handovers.push_back({index, seat.version, seat.owner, *taker++, false});
  }
  // One at a time, so that what counted with one seat less and what counts with one more always meet.
  if (taker != takers.end() && end > 0 && end < wanted.size() && end < SeatTable::kSeatsMax &&
      !seats.HasPending(slot)) {
    handovers.push_back({end, 0, seats.SeatAt(slot, 0).owner, *taker, true});
  }
  return handovers;
}

}  // namespace orrery::replication

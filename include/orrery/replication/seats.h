#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "orrery/base/codec.h"
#include "orrery/base/node_id.h"
#include "orrery/base/slot.h"
#include "orrery/ring/ring.h"

namespace orrery::replication {

/// Who owns one seat of a slot. A slot has as many seats as homes (docs/ownership-transfer.md).
struct Seat {
  uint64_t version = 0;  ///< 0: as the founders' ring says
  NodeId owner;
  /// The owner covers all that the one before it had acknowledged. Until then the seat counts for copies, not
  /// for reads.
  bool in_service = true;
  /// Who gave it; zero if the owner claimed it from one that was removed.
  NodeId giver;

  bool operator==(const Seat&) const = default;
};

/// One version of one seat, as it travels and as it is stored.
struct SeatRecord {
  SlotId slot = 0;
  uint8_t index = 0;
  Seat seat;

  bool operator==(const SeatRecord&) const = default;
};

void EncodeSeatRecord(const SeatRecord& record, Encoder* out);
/// Fails the decoder on anything that EncodeSeatRecord cannot have written.
SeatRecord DecodeSeatRecord(Decoder* in);

/// Whether the record replaces the known one of its seat: the greater version does. Two records of one
/// version can only come from claims, or from a disk that went back in time; then the greater owner counts,
/// and in service before not yet.
bool Supersedes(const Seat& seat, const Seat& known);

/// The owners of all slots' seats: version 0 from the founders' ring, what came later from records, merged in
/// any order, any number of times (a CRDT). Its owners, not the ring of the present members, are the homes.
/// One loop.
class SeatTable {
 public:
  static constexpr size_t kChunkSlots = 128;
  static constexpr size_t kChunks = kSlotCount / kChunkSlots;
  static constexpr uint8_t kSeatsMax = 64;
  using Digests = std::array<uint64_t, kChunks>;

  SeatTable();

  /// The same pointer again costs nothing.
  void SetFounders(std::shared_ptr<const ring::Ring> founders);
  /// Whether the table changed.
  bool Merge(const SeatRecord& record);

  /// The distinct owners in the order of their seats: the first one in reach coordinates. No allocation.
  std::span<const NodeId> Owners(SlotId slot) const;
  bool IsOwner(SlotId slot, NodeId node) const;
  /// Asks for the memory that Owners leads to, or begins with.
  void PrefetchOwners(SlotId slot) const;
  /// Owner of a seat that is in service.
  bool InService(SlotId slot, NodeId node) const;
  size_t SeatCount(SlotId slot) const { return Owners(slot).size(); }
  size_t InServiceCount(SlotId slot) const;
  /// Seats that quorum reads count: all but new ones that were never in service.
  size_t ReadSeats(SlotId slot) const { return HasRecords(slot) ? slots_[slot].read_seats : SeatCount(slot); }
  /// Whether any seat of the slot waits for its owner to be in service.
  bool HasPending(SlotId slot) const { return InServiceCount(slot) < SeatCount(slot); }
  /// One past the last seat that has an owner.
  uint8_t SeatsEnd(SlotId slot) const;
  Seat SeatAt(SlotId slot, uint8_t index) const;
  /// Whether any seat of the slot has left the founders.
  bool HasRecords(SlotId slot) const { return recorded_[slot]; }
  std::vector<SeatRecord> RecordsOf(SlotId slot) const;
  bool empty() const { return hash_ == 0; }
  /// How often anything in here has changed.
  uint64_t changes() const { return changes_; }

  /// Equal for equal records; 0 without any. Constant time.
  uint64_t Hash() const { return hash_; }
  const Digests& digests() const { return digests_; }
  std::vector<SeatRecord> RecordsOfChunk(size_t chunk) const;

 private:
  struct Slot {
    std::vector<SeatRecord> records;  ///< by index
    std::vector<NodeId> owners;       ///< of the records and the founders; empty while there are no records
    std::vector<bool> in_service;     ///< of the owners
    size_t read_seats = 0;
  };

  void Refresh(SlotId slot);
  std::span<const NodeId> Founders(SlotId slot) const;

  std::shared_ptr<const ring::Ring> founders_;
  std::vector<Slot> slots_;
  std::bitset<kSlotCount> recorded_;  ///< spares looking at the slot of what never moved
  Digests digests_{};
  uint64_t hash_ = 0;
  uint64_t changes_ = 0;
};

/// A seat that is to change hands, in the opinion of whoever knows this table and this ring.
struct Handover {
  uint8_t index = 0;
  uint64_t version = 0;  ///< the seat's present one
  NodeId giver;  ///< its owner; of a seat that the slot does not have yet, the owner of the first seat
  NodeId taker;
  bool is_new = false;  ///< the slot does not have it yet

  bool operator==(const Handover&) const = default;
};

/// The i-th seat of an owner that is not wanted goes to the i-th wanted node that is no owner; seats are
/// added, one at a time, when more nodes are wanted than there are seats. Pure.
std::vector<Handover> PlanHandovers(const SeatTable& seats, SlotId slot, std::span<const NodeId> wanted);

}  // namespace orrery::replication

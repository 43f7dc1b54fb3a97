#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "orrery/replication/catch_up.h"
#include "orrery/replication/hint_service.h"
#include "orrery/replication/messages.h"
#include "orrery/replication/seat_book.h"
#include "orrery/replication/seat_reach.h"
#include "orrery/replication/shard_context.h"

namespace orrery::replication {

/// Gets this node the seats that the ring wants it to have (docs/ownership-transfer.md): copies the slot from
/// the seat's owner, asks for the seat, catches up to the owner's last clock, and is in service. A seat whose
/// owner was removed is claimed once the other homes' clocks and all members' hints are covered. All that
/// counts is in the seat records, so a restart goes on where the records say. A bounded number of slots at a
/// time. Events in, messages out; one loop.
class SeatTaker {
 public:
  /// Probes of ours have this bit; the coordinator's do not get that far.
  static constexpr uint64_t kProbeBit = uint64_t{1} << 62;

  SeatTaker(ShardContext* context, CatchUp* catch_up, HintService* hints, SeatBook* book)
      : context_(*context), catch_up_(*catch_up), hints_(*hints), book_(*book), reach_(context) {}

  /// What is wanted of one of our slots, or who owns it, has changed.
  void Plan(SlotId slot);

  void OnGiven(NodeId from, const SeatGivenMessage& message);
  /// Another home says that it reaches us, or wants to know whether we reach it.
  void OnReach(NodeId from, const SeatReachMessage& message) {
    may_begin_ |= reach_.OnMessage(from, message);
  }
  /// A home's answer to our HintOffer: its clock.
  void OnWant(NodeId from, const HintWantMessage& want);
  /// A member's answer to our probe: its hints.
  void OnHints(NodeId from, const ProbeReplyMessage& reply);
  /// The slot's clock moved.
  void OnAdvanced(SlotId slot);
  /// The slot is empty again: it covers nothing of what others had.
  void OnSlotReset(SlotId slot);
  /// An image of the slot was merged.
  void OnCopied(SlotId slot);
  void OnPeerUp(NodeId peer);
  void OnPeerDown(NodeId peer) { reach_.OnPeerDown(peer); }
  void Tick(uint64_t now_us);
  /// Writes down which seats are in service from now on.
  void BeforeCommit();
  /// Begins what there is room for.
  void AfterCommit() {
    if (!todo_.empty() && may_begin_) BeginMore();
  }

  /// Whether, in this life, the slot was copied for a seat that we do not own.
  bool WasCopied(SlotId slot) const { return copied_.Contains(slot); }

  /// Slots still to be begun, and under way.
  size_t waiting() const { return todo_.size(); }
  size_t under_way() const { return takes_.size(); }

 private:
  struct Take {
    Handover handover;
    bool is_ours = false;                      ///< the seat is ours, but not in service yet
    std::optional<causality::SlotClock> last;  ///< covers all that the giver ever promised
    uint64_t next_us = 0;
    uint64_t first_probe = 0;        ///< of a claim; answers to any one from here on count
    std::set<NodeId> homes_covered;  ///< of a claim
    std::set<NodeId> hints_covered;
  };

  bool PlanOwn(SlotId slot);
  void Cancel(SlotId slot);
  void Forget(SlotId slot);
  void Begin(SlotId slot, const Handover& handover, bool is_ours);
  void BeginMore();
  void Push(SlotId slot, Take* take, uint64_t now_us);
  bool IsRemoved(NodeId node) const;
  bool IsClaim(const Take& take) const;
  void PushClaim(SlotId slot, Take* take);
  bool MayClaim(SlotId slot, const Take& take) const;
  bool IsReady(SlotId slot, const Take& take) const;
  const causality::SlotClock& ClockOf(SlotId slot) const;

  ShardContext& context_;
  CatchUp& catch_up_;
  HintService& hints_;
  SeatBook& book_;
  std::map<SlotId, Take> takes_;
  std::set<SlotId> todo_;
  SeatReach reach_;
  bool may_begin_ = true;  ///< something has changed since nothing more could begin
  SlotSet copied_;
  SlotSet checks_;  ///< takes that may be ready
  uint64_t next_probe_ = kProbeBit;
};

}  // namespace orrery::replication

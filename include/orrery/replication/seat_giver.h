#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "orrery/replication/catch_up.h"
#include "orrery/replication/coordinator.h"
#include "orrery/replication/messages.h"
#include "orrery/replication/seat_book.h"
#include "orrery/replication/shard_context.h"
#include "orrery/replication/slot_set.h"

namespace orrery::replication {

/// Gives this node's seats to whom the ring wants to have them, and drops what is left of a slot once others
/// have it on their disks (docs/ownership-transfer.md). Events in, messages out; one loop.
class SeatGiver {
 public:
  SeatGiver(ShardContext* context, CatchUp* catch_up, Coordinator* coordinator, SeatBook* book)
      : context_(*context), catch_up_(*catch_up), coordinator_(*coordinator), book_(*book) {}

  /// What is wanted of one of our slots, or who owns it, has changed. was_copied: its rows may be a copy that nobody wants any
  /// more.
  void Plan(SlotId slot, bool was_copied);

  /// Answered with the next Tick, as far as the pace allows: so that one sync serves many seats.
  void OnAsk(NodeId from, const SeatAskMessage& ask) {
    asks_.insert_or_assign({ask.slot, ask.index}, Ask{from, ask});
  }
  /// A home's answer to our HintOffer: what it has, and has on its disk.
  void OnWant(NodeId from, const HintWantMessage& want);
  void Tick(uint64_t now_us);
  /// Gives what can be given: our last clock is that of this commit.
  void BeforeCommit();
  void AfterCommit();

  /// Slots that we own no seat of and still have rows of.
  size_t leftovers() const { return leftovers_.size(); }
  /// Our slots that we are to give a seat of.
  size_t to_give() const { return to_give_.size(); }

 private:
  using SeatId = std::pair<SlotId, uint8_t>;
  struct Ask {
    NodeId from;
    SeatAskMessage message;
  };
  struct Closing {
    SeatAskMessage ask;
    NodeId taker;
    bool keeps_a_seat = false;  ///< we stay a home of the slot
    uint64_t until_us = 0;
  };
  enum class Distance : uint8_t {
    kNear,
    kOnItsWay,  ///< all that the taker lacks has been sent, but more than may be given at once
    kFar,       ///< it takes an image
  };
  struct Given {
    NodeId taker;
    SeatGivenMessage message;
  };

  void PlanGift(SlotId slot);
  void AnswerAsks();
  std::optional<SeatAskMessage> Answer(NodeId from, const SeatAskMessage& ask);
  bool Agrees(SlotId slot, NodeId taker, const SeatAskMessage& ask) const;
  Distance DistanceOf(NodeId taker, const SeatAskMessage& ask);
  bool KeepsASeat(SlotId slot, uint8_t index) const;
  void SendGiven(NodeId taker, SlotId slot, uint8_t index, uint64_t version);
  void StopClosing(SlotId slot);
  void Drop(SlotId slot);

  ShardContext& context_;
  CatchUp& catch_up_;
  Coordinator& coordinator_;
  SeatBook& book_;
  /// By seat: two that ask for seats of one slot at one pace must not take each other's place for ever.
  std::map<SeatId, Ask> asks_;
  SeatId next_ask_{};  ///< where the last ones that could be answered ended
  std::map<SlotId, Closing> closings_;
  SlotSet to_give_;
  std::vector<Given> given_;                      ///< in this turn
  std::map<SlotId, std::set<NodeId>> leftovers_;  ///< with the homes that have all of it on their disks
  SlotId next_leftover_ = 0;
  uint64_t next_us_ = 0;
};

}  // namespace orrery::replication

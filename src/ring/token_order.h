#pragma once

#include <cstdint>
#include <vector>

#include "orrery/ring/ring.h"
#include "orrery/ring/token.h"
#include "shares.h"

namespace orrery::ring {

/// Index of a member in the sorted list of a ring.
using MemberIndex = uint32_t;

/// A token made comparable with those of other members: the lower, the stronger. Fixed point.
using Distance = int64_t;

/// The order of all members in every slot, before loads are bounded. Two members of equal weight and zone
/// size compare by their tokens alone, whoever else is there; weights and zones stretch each member's
/// distances so that it comes out among a slot's homes as often as its share says (Pareto sampling: Rosen,
/// "On sampling with probability proportional to size", 1997). Immutable, any thread.
class TokenOrder {
 public:
  /// REQUIRES: members sorted by id, distinct, with weights.
  TokenOrder(std::vector<RingMember> members, int homes_per_slot);

  const std::vector<RingMember>& members() const { return members_; }
  MemberIndex size() const { return static_cast<MemberIndex>(members_.size()); }
  const Zones& zones() const { return zones_; }
  uint32_t zone(MemberIndex member) const { return zones_.of[member]; }
  /// A slot's homes show at least so many zones.
  uint32_t zones_per_slot() const { return zones_per_slot_; }
  const std::vector<Share>& shares() const { return shares_; }

  const TokenSet& tokens(MemberIndex member) const { return tokens_[member]; }
  Distance At(MemberIndex member, SlotId slot) const {
    return AtPosition(member, tokens_[member].Position(slot));
  }
  /// The distance of a token of this member that lies at the position.
  Distance AtPosition(MemberIndex member, uint32_t position) const {
    return (*log_odds_)[position] + offset_[member];
  }
  /// Who of a slot's homes is drawn most to coordinate it: the lower, the more.
  double CoordinatorDistance(MemberIndex member, SlotId slot) const;
  /// The member with this id, or size().
  MemberIndex IndexOf(NodeId id) const;

 private:
  void PutFullZonesFirst();

  std::vector<RingMember> members_;
  Zones zones_;
  uint32_t zones_per_slot_;
  std::vector<Share> shares_;
  std::vector<TokenSet> tokens_;
  const std::vector<Distance>* log_odds_;  // by position
  std::vector<Distance> offset_;           // by member
  std::vector<double> coordinator_rate_;   // by member
  std::vector<double> region_strength_;    // by region position
};

}  // namespace orrery::ring

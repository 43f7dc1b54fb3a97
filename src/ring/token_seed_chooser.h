#pragma once

#include <cstdint>
#include <vector>

#include "dealing.h"
#include "token_order.h"

namespace orrery::ring {

/// Weighs token sets for a newcomer against one membership. Immutable, any thread.
class TokenSeedChooser {
 public:
  /// REQUIRES: as Ring::Build; members do not contain the newcomer; at least homes_per_slot members.
  TokenSeedChooser(std::vector<RingMember> members, const RingMember& newcomer, int homes_per_slot);

  /// The best seed for a node with this id and the newcomer's weight and zone.
  uint32_t Choose(NodeId id) const;

 private:
  void WeighSlot(const Dealing& dealing, SlotId slot);
  uint32_t Candidates() const;
  double Weigh(const TokenSet& tokens) const;
  double Deviation(MemberIndex member, double load) const;

  const TokenOrder order_;
  const MemberIndex newcomer_;
  uint32_t reach_ = 0;                // tokens at positions from here on win nowhere
  std::vector<uint16_t> wins_below_;  // by slot: a token at a position below this one becomes a home,
  std::vector<MemberIndex> giver_;    // by slot: in this one's place (Dealing::kNoOne: in nobody's)
  std::vector<double> gain_;          // by member: the change in its deviation when it gives one home
};

}  // namespace orrery::ring

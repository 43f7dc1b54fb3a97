#pragma once

#include <cstdint>
#include <vector>

#include "token_order.h"

namespace orrery::ring {

/// A member among the homes of a slot, with the distance of its token there.
struct Home {
  Distance distance = 0;
  MemberIndex member = 0;

  auto operator<=>(const Home&) const = default;
};

/// The homes of all slots while a ring is built. Value type.
class Dealing {
 public:
  static constexpr MemberIndex kNoOne = ~MemberIndex{0};

  /// Gives every slot its strongest tokens, in as many zones as possible, whatever the loads. One member can
  /// be left out: it gets nothing, but the others' shares are those that they have beside it. REQUIRES:
  /// enough members.
  static Dealing ByTokens(const TokenOrder& order, int homes_per_slot, MemberIndex left_out = kNoOne);

  /// Takes from each member the weakest homes above its bound, and gives them to the next strongest tokens of
  /// members with room.
  void BoundLoads(const TokenOrder& order);

  int homes_per_slot() const { return homes_per_slot_; }
  /// Strongest first (until loads are bounded).
  Home* HomesOf(SlotId slot) { return &homes_[static_cast<size_t>(slot) * homes_per_slot_]; }
  const Home* HomesOf(SlotId slot) const { return &homes_[static_cast<size_t>(slot) * homes_per_slot_]; }
  uint32_t load(MemberIndex member) const { return loads_[member]; }
  bool Holds(SlotId slot, MemberIndex member) const;

 private:
  struct Excess {
    Distance distance;
    SlotId slot;
    MemberIndex member;

    auto operator<=>(const Excess&) const = default;
  };

  void DealSpread(const TokenOrder& order, MemberIndex left_out);
  void DealFewZones(const TokenOrder& order, MemberIndex left_out);
  void CountLoads(MemberIndex members);
  std::vector<Excess> HomesOfOverloaded(const TokenOrder& order) const;
  bool MoveToNextWithRoom(const TokenOrder& order, const Excess& excess);
  bool KeepsZones(const TokenOrder& order, SlotId slot, MemberIndex without, MemberIndex with) const;

  int homes_per_slot_ = 0;
  std::vector<Home> homes_;
  std::vector<uint32_t> loads_;
};

}  // namespace orrery::ring

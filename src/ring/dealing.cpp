#include "dealing.h"

#include <algorithm>
#include <limits>
#include <set>

namespace orrery::ring {
namespace {

constexpr Home kNobody{std::numeric_limits<Distance>::max(), Dealing::kNoOne};

/// Puts home into the sorted list in place of the entry at position `at`, which is not before it.
void Replace(Home* list, int at, Home home) {
  for (; at > 0 && home < list[at - 1]; --at) list[at] = list[at - 1];
  list[at] = home;
}

/// Keeps in the list, sorted, the strongest member of each of the strongest zones.
void OfferSpread(const TokenOrder& order, Home* list, int count, Home home) {
  if (!(home < list[count - 1])) return;
  int at = count - 1;
  for (int i = 0; i < count && list[i].member != Dealing::kNoOne; ++i) {
    if (order.zone(list[i].member) != order.zone(home.member)) continue;
    if (list[i] < home) return;
    at = i;
    break;
  }
  Replace(list, at, home);
}

/// Picks count of the sorted candidates, strongest first, but leaves room for the zones not yet shown.
void PickShowingZones(const TokenOrder& order, const std::set<Home>& candidates, int count, Home* picked) {
  std::vector<bool> shown(order.zones().count);
  uint32_t missing = order.zones_per_slot();
  int n = 0;
  for (const Home& home : candidates) {
    if (n == count) return;
    const uint32_t zone = order.zone(home.member);
    if (shown[zone] && static_cast<uint32_t>(count - n) <= missing) continue;
    if (!shown[zone] && missing > 0) --missing;
    shown[zone] = true;
    picked[n++] = home;
  }
}

}  // namespace

Dealing Dealing::ByTokens(const TokenOrder& order, int homes_per_slot, MemberIndex left_out) {
  Dealing dealing;
  dealing.homes_per_slot_ = homes_per_slot;
  dealing.homes_.assign(static_cast<size_t>(kSlotCount) * homes_per_slot, kNobody);
  if (order.zones().count >= static_cast<uint32_t>(homes_per_slot)) {
    dealing.DealSpread(order, left_out);
  } else {
    dealing.DealFewZones(order, left_out);
  }
  dealing.CountLoads(order.size());
  return dealing;
}

void Dealing::DealSpread(const TokenOrder& order, MemberIndex left_out) {
  // In a large cluster the fine tokens decide nearly every slot, and they are few.
  Distance coarse = kNobody.distance;
  for (MemberIndex member = 0; member < order.size(); ++member) {
    if (member == left_out) continue;
    coarse = std::min(coarse, order.AtPosition(member, TokenSet::kFineTokens));
    for (uint32_t position = 0; position < TokenSet::kFineTokens; ++position) {
      OfferSpread(order, HomesOf(order.tokens(member).SlotAt(position)), homes_per_slot_,
                  {order.AtPosition(member, position), member});
    }
  }
  for (uint32_t i = 0; i < kSlotCount; ++i) {
    const auto slot = static_cast<SlotId>(i);
    Home* homes = HomesOf(slot);
    if (homes[homes_per_slot_ - 1].distance < coarse) continue;
    std::fill(homes, homes + homes_per_slot_, kNobody);
    for (MemberIndex member = 0; member < order.size(); ++member) {
      if (member != left_out) OfferSpread(order, homes, homes_per_slot_, {order.At(member, slot), member});
    }
  }
}

void Dealing::DealFewZones(const TokenOrder& order, MemberIndex left_out) {
  std::vector<Home> strongest;
  std::vector<Home> of_zone;
  for (uint32_t i = 0; i < kSlotCount; ++i) {
    const auto slot = static_cast<SlotId>(i);
    strongest.assign(homes_per_slot_, kNobody);
    of_zone.assign(order.zones().count, kNobody);
    for (MemberIndex member = 0; member < order.size(); ++member) {
      if (member == left_out) continue;
      const Home home{order.At(member, slot), member};
      if (home < strongest.back()) Replace(strongest.data(), homes_per_slot_ - 1, home);
      Home& best = of_zone[order.zone(member)];
      best = std::min(best, home);
    }
    std::set<Home> candidates(strongest.begin(), strongest.end());
    candidates.insert(of_zone.begin(), of_zone.end());
    candidates.erase(kNobody);
    PickShowingZones(order, candidates, homes_per_slot_, HomesOf(slot));
  }
}

void Dealing::CountLoads(MemberIndex members) {
  loads_.assign(members, 0);
  for (const Home& home : homes_) {
    if (home.member != kNoOne) ++loads_[home.member];
  }
}

bool Dealing::Holds(SlotId slot, MemberIndex member) const {
  const Home* homes = HomesOf(slot);
  return std::any_of(homes, homes + homes_per_slot_, [&](const Home& home) { return home.member == member; });
}

void Dealing::BoundLoads(const TokenOrder& order) {
  // The first pass takes what is above the bound and nothing else, so that a member that gains or loses a
  // home changes at most one other. The second is for the rare home that nobody with room can take: then
  // another one must go.
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<Excess> excess = HomesOfOverloaded(order);
    std::vector<uint32_t> kept(order.size());
    if (pass == 0) {
      std::erase_if(excess, [&](const Excess& home) {
        return ++kept[home.member] <= order.shares()[home.member].home_max;
      });
    } else {
      std::reverse(excess.begin(), excess.end());
    }
    for (const Excess& home : excess) {
      if (loads_[home.member] > order.shares()[home.member].home_max) MoveToNextWithRoom(order, home);
    }
  }
}

/// Every home of every overloaded member, strongest first.
std::vector<Dealing::Excess> Dealing::HomesOfOverloaded(const TokenOrder& order) const {
  std::vector<Excess> homes;
  for (uint32_t i = 0; i < kSlotCount; ++i) {
    const auto slot = static_cast<SlotId>(i);
    for (int k = 0; k < homes_per_slot_; ++k) {
      const Home& home = HomesOf(slot)[k];
      if (loads_[home.member] > order.shares()[home.member].home_max) {
        homes.push_back({home.distance, slot, home.member});
      }
    }
  }
  std::sort(homes.begin(), homes.end());
  return homes;
}

bool Dealing::MoveToNextWithRoom(const TokenOrder& order, const Excess& excess) {
  Home next = kNobody;
  for (MemberIndex member = 0; member < order.size(); ++member) {
    if (loads_[member] >= order.shares()[member].home_max || Holds(excess.slot, member)) continue;
    const Home candidate{order.At(member, excess.slot), member};
    if (candidate < next && KeepsZones(order, excess.slot, excess.member, member)) next = candidate;
  }
  if (next.member == kNoOne) return false;
  Home* homes = HomesOf(excess.slot);
  std::find_if(homes, homes + homes_per_slot_, [&](const Home& home) {
    return home.member == excess.member;
  })->member = next.member;
  std::find_if(homes, homes + homes_per_slot_, [&](const Home& home) {
    return home.member == next.member;
  })->distance = next.distance;
  --loads_[excess.member];
  ++loads_[next.member];
  return true;
}

/// Whether the slot's homes would still show as many zones as they must.
bool Dealing::KeepsZones(const TokenOrder& order, SlotId slot, MemberIndex without, MemberIndex with) const {
  if (order.zone(without) == order.zone(with)) return true;
  uint32_t shown = 0;
  const Home* homes = HomesOf(slot);
  const auto zone_at = [&](int k) { return order.zone(homes[k].member == without ? with : homes[k].member); };
  for (int k = 0; k < homes_per_slot_; ++k) {
    bool first = true;
    for (int before = 0; before < k; ++before) first = first && zone_at(before) != zone_at(k);
    if (first) ++shown;
  }
  return shown >= order.zones_per_slot();
}

}  // namespace orrery::ring

#include "coordinators.h"

#include <algorithm>
#include <optional>

namespace orrery::ring {
namespace {

/// Starts from everybody's preference and pushes slots along shortest chains of homes, from members above
/// their bound to members with room: augmenting paths, as in bipartite matching.
class Chooser {
 public:
  Chooser(const TokenOrder& order, const Dealing& dealing)
      : order_(order), dealing_(dealing), chosen_(kSlotCount), coordinated_(order.size()) {}

  std::vector<uint32_t> Choose() {
    for (uint32_t slot = 0; slot < kSlotCount; ++slot) Prefer(static_cast<SlotId>(slot));
    for (MemberIndex member = 0; member < order_.size(); ++member) {
      ShedToNeighbours(member);
      while (Overloaded(member) && PushAlongShortestChain(member)) {
      }
    }
    return std::move(chosen_);
  }

 private:
  struct Step {
    MemberIndex from;
    SlotId slot;
  };

  MemberIndex MemberAt(SlotId slot, uint32_t k) const { return dealing_.HomesOf(slot)[k].member; }
  size_t Load(MemberIndex member) const { return coordinated_[member].size(); }
  bool Overloaded(MemberIndex member) const { return Load(member) > order_.shares()[member].coordinator_max; }
  bool HasRoom(MemberIndex member) const { return Load(member) < order_.shares()[member].coordinator_max; }

  void Prefer(SlotId slot) {
    uint32_t best = 0;
    const auto key = [&](uint32_t k) {
      return std::pair(order_.CoordinatorDistance(MemberAt(slot, k), slot), MemberAt(slot, k));
    };
    for (uint32_t k = 1; k < static_cast<uint32_t>(dealing_.homes_per_slot()); ++k) {
      if (key(k) < key(best)) best = k;
    }
    chosen_[slot] = best;
    coordinated_[MemberAt(slot, best)].push_back(slot);
  }

  void Give(SlotId slot, MemberIndex from, MemberIndex to) {
    std::erase(coordinated_[from], slot);
    coordinated_[to].push_back(slot);
    for (uint32_t k = 0; MemberAt(slot, chosen_[slot]) != to; ++k) chosen_[slot] = k;
  }

  /// Gives the slots of the regions that the member is drawn to least to other homes with room.
  void ShedToNeighbours(MemberIndex member) {
    if (!Overloaded(member)) return;
    std::vector<std::pair<double, SlotId>> weakest_last;
    for (SlotId slot : coordinated_[member]) {
      weakest_last.emplace_back(order_.CoordinatorDistance(member, slot), slot);
    }
    std::sort(weakest_last.begin(), weakest_last.end());
    for (; !weakest_last.empty() && Overloaded(member); weakest_last.pop_back()) {
      const SlotId slot = weakest_last.back().second;
      for (int k = 0; k < dealing_.homes_per_slot(); ++k) {
        const MemberIndex home = MemberAt(slot, static_cast<uint32_t>(k));
        if (!HasRoom(home)) continue;
        Give(slot, member, home);
        break;
      }
    }
  }

  bool PushAlongShortestChain(MemberIndex start) {
    std::vector<std::optional<Step>> reached(order_.size());
    std::vector<MemberIndex> queue{start};
    reached[start] = Step{start, 0};
    for (size_t next = 0; next < queue.size(); ++next) {
      const MemberIndex member = queue[next];
      if (HasRoom(member)) return Unwind(start, member, reached), true;
      for (SlotId slot : coordinated_[member]) {
        for (int k = 0; k < dealing_.homes_per_slot(); ++k) {
          const MemberIndex home = MemberAt(slot, static_cast<uint32_t>(k));
          if (reached[home]) continue;
          reached[home] = Step{member, slot};
          queue.push_back(home);
        }
      }
    }
    return false;
  }

  void Unwind(MemberIndex start, MemberIndex end, const std::vector<std::optional<Step>>& reached) {
    for (MemberIndex at = end; at != start; at = reached[at]->from)
      Give(reached[at]->slot, reached[at]->from, at);
  }

  const TokenOrder& order_;
  const Dealing& dealing_;
  std::vector<uint32_t> chosen_;                  // by slot
  std::vector<std::vector<SlotId>> coordinated_;  // by member
};

}  // namespace

std::vector<uint32_t> ChooseCoordinators(const TokenOrder& order, const Dealing& dealing) {
  return Chooser(order, dealing).Choose();
}

}  // namespace orrery::ring

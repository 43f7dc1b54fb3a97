#include "token_seed_chooser.h"

#include <algorithm>
#include <limits>

namespace orrery::ring {
namespace {

constexpr uint32_t kCandidatesMin = 32;
constexpr uint32_t kCandidatesMax = 4096;
constexpr uint32_t kTokensWeighed = 1000000;  // over all candidates

std::vector<RingMember> Joined(std::vector<RingMember> members, const RingMember& newcomer) {
  members.push_back(newcomer);
  std::sort(members.begin(), members.end(),
            [](const RingMember& a, const RingMember& b) { return a.id < b.id; });
  return members;
}

}  // namespace

TokenSeedChooser::TokenSeedChooser(std::vector<RingMember> members, const RingMember& newcomer,
                                   int homes_per_slot)
    : order_(Joined(std::move(members), newcomer), homes_per_slot), newcomer_(order_.IndexOf(newcomer.id)) {
  const Dealing dealing = Dealing::ByTokens(order_, homes_per_slot, newcomer_);
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    WeighSlot(dealing, static_cast<SlotId>(slot));
    reach_ = std::max<uint32_t>(reach_, wins_below_.back());
  }
  for (MemberIndex member = 0; member < order_.size(); ++member) {
    const double load = dealing.load(member);
    gain_.push_back(Deviation(member, load - 1) - Deviation(member, load));
  }
}

/// The newcomer takes the place of the home in its own zone, if each zone may have only one, else of the
/// weakest home.
void TokenSeedChooser::WeighSlot(const Dealing& dealing, SlotId slot) {
  const Home* homes = dealing.HomesOf(slot);
  const int count = dealing.homes_per_slot();
  Home giver = homes[count - 1];
  const bool one_home_per_zone = order_.zones_per_slot() == static_cast<uint32_t>(count);
  for (int k = 0; one_home_per_zone && k < count && homes[k].member != Dealing::kNoOne; ++k) {
    if (order_.zone(homes[k].member) == order_.zone(newcomer_)) giver = homes[k];
  }
  uint32_t low = 0;
  uint32_t high = TokenSet::kPositionCount;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (Home{order_.AtPosition(newcomer_, middle), newcomer_} < giver) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  wins_below_.push_back(static_cast<uint16_t>(low));
  giver_.push_back(giver.member);
}

uint32_t TokenSeedChooser::Choose(NodeId id) const {
  uint32_t best = 0;
  double lowest = std::numeric_limits<double>::infinity();
  for (uint32_t seed = 0; seed < Candidates(); ++seed) {
    const double cost = Weigh(TokenSet(id, seed));
    if (cost >= lowest) continue;
    lowest = cost;
    best = seed;
  }
  return best;
}

uint32_t TokenSeedChooser::Candidates() const {
  const uint32_t tokens_each = reach_ <= TokenSet::kFineTokens ? reach_ + 1 : kSlotCount;
  return std::clamp(kTokensWeighed / tokens_each, kCandidatesMin, kCandidatesMax);
}

/// The change in the sum of squared deviations from the fair shares; the lower, the better.
double TokenSeedChooser::Weigh(const TokenSet& tokens) const {
  double cost = 0;
  uint32_t taken = 0;
  const auto weigh_token = [&](SlotId slot, uint32_t position) {
    if (position >= wins_below_[slot]) return;
    ++taken;
    if (giver_[slot] != Dealing::kNoOne) cost += gain_[giver_[slot]];
  };
  if (reach_ <= TokenSet::kFineTokens) {
    for (uint32_t position = 0; position < reach_; ++position) weigh_token(tokens.SlotAt(position), position);
  } else {
    for (uint32_t i = 0; i < kSlotCount; ++i) {
      const auto slot = static_cast<SlotId>(i);
      weigh_token(slot, tokens.Position(slot));
    }
  }
  return cost + Deviation(newcomer_, taken);
}

double TokenSeedChooser::Deviation(MemberIndex member, double load) const {
  const double fair = order_.shares()[member].home * kSlotCount;
  return (load - fair) * (load - fair) / fair;
}

}  // namespace orrery::ring

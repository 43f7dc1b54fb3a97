#include "token_order.h"

#include <algorithm>

#include "portable_math.h"

namespace orrery::ring {
namespace {

using Table = std::vector<Distance>;

constexpr double kFixedPoint = 1099511627776.0;  // 2^40
constexpr double kNever = 64;                    // in log odds: beyond what a token can make up for

Table MakeLogOdds() {
  Table table(TokenSet::kPositionCount);
  for (uint32_t position = 0; position < TokenSet::kPositionCount; ++position) {
    const double chance = TokenSet::Chance(position);
    table[position] = static_cast<Distance>(PortableLn(chance / (1 - chance)) * kFixedPoint);
  }
  return table;
}

/// By position: the log odds of a token that lies there or before.
const Table& LogOdds() {
  static const Table table = MakeLogOdds();
  return table;
}

Distance LogOddsAgainst(double share) {
  const double log_odds = share > 1 - 1e-9 ? -kNever : PortableLn((1 - share) / share);
  return static_cast<Distance>(log_odds * kFixedPoint);
}

}  // namespace

TokenOrder::TokenOrder(std::vector<RingMember> members, int homes_per_slot)
    : members_(std::move(members)),
      zones_(Zones::Of(members_)),
      zones_per_slot_(std::min(zones_.count, static_cast<uint32_t>(homes_per_slot))),
      shares_(ComputeShares(members_, zones_, homes_per_slot)),
      log_odds_(&LogOdds()) {
  tokens_.reserve(members_.size());
  for (const RingMember& member : members_) tokens_.emplace_back(member.id, member.token_seed);
  for (const Share& share : shares_) {
    offset_.push_back(LogOddsAgainst(share.home));
    coordinator_rate_.push_back(share.home / share.coordinator);
  }
  if (zones_.count >= static_cast<uint32_t>(homes_per_slot)) PutFullZonesFirst();
  for (uint32_t i = 0; i < TokenSet::kRegionCount; ++i) {
    region_strength_.push_back(-PortableLn(1 - (i + 0.5) / TokenSet::kRegionCount));
  }
}

/// A zone so heavy that it must have a home of every slot comes before all others.
void TokenOrder::PutFullZonesFirst() {
  std::vector<double> zone_share(zones_.count);
  for (MemberIndex i = 0; i < size(); ++i) zone_share[zone(i)] += shares_[i].home;
  for (MemberIndex i = 0; i < size(); ++i) {
    if (zone_share[zone(i)] > 1 - 1e-9) offset_[i] -= static_cast<Distance>(kNever * kFixedPoint);
  }
}

double TokenOrder::CoordinatorDistance(MemberIndex member, SlotId slot) const {
  return region_strength_[tokens_[member].RegionPosition(slot)] * coordinator_rate_[member];
}

MemberIndex TokenOrder::IndexOf(NodeId id) const {
  const auto at =
      std::lower_bound(members_.begin(), members_.end(), id,
                       [](const RingMember& member, NodeId wanted) { return member.id < wanted; });
  if (at == members_.end() || at->id != id) return size();
  return static_cast<MemberIndex>(at - members_.begin());
}

}  // namespace orrery::ring

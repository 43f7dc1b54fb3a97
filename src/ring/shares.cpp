#include "shares.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

namespace orrery::ring {
namespace {

constexpr double kRounding = 1e-6;

/// The x >= 0 at which the growing function reaches the wanted value.
double Solve(const std::function<double(double)>& growing, double wanted) {
  double low = 0;
  double high = 1;
  for (int i = 0; i < 200 && growing(high) < wanted; ++i) high *= 2;
  for (int i = 0; i < 100; ++i) {
    const double middle = low + (high - low) / 2;
    (growing(middle) < wanted ? low : high) = middle;
  }
  return high;
}

uint32_t Bound(double share) {
  const double fair = share * kSlotCount;
  const double bound = std::max(std::ceil(fair - kRounding), std::floor(fair * kLoadSlack + kRounding));
  return std::min(static_cast<uint32_t>(bound), kSlotCount);
}

/// Every zone at most one home per slot, and the zone's members divide it by weight.
void ShareAmongManyZones(const std::vector<RingMember>& members, const Zones& zones, int homes,
                         std::vector<Share>* shares) {
  const auto zone_share = [&](double level, uint32_t zone) {
    return std::min(1.0, level * static_cast<double>(zones.weight[zone]));
  };
  const double level = Solve(
      [&](double at) {
        double sum = 0;
        for (uint32_t zone = 0; zone < zones.count; ++zone) sum += zone_share(at, zone);
        return sum;
      },
      homes);
  for (size_t i = 0; i < members.size(); ++i) {
    const uint32_t zone = zones.of[i];
    (*shares)[i].home = zone_share(level, zone) * members[i].weight / static_cast<double>(zones.weight[zone]);
  }
}

/// Every zone at least one home per slot, every member at most one.
void ShareAmongFewZones(const std::vector<RingMember>& members, const Zones& zones, int homes,
                        std::vector<Share>* shares) {
  std::vector<double> zone_sum(zones.count);
  const auto sum_zones = [&](double level) {
    std::fill(zone_sum.begin(), zone_sum.end(), 0.0);
    for (size_t i = 0; i < members.size(); ++i)
      zone_sum[zones.of[i]] += std::min(1.0, level * members[i].weight);
  };
  const double level = Solve(
      [&](double at) {
        sum_zones(at);
        double sum = 0;
        for (double zone : zone_sum) sum += std::max(1.0, zone);
        return sum;
      },
      homes);
  sum_zones(level);
  for (size_t i = 0; i < members.size(); ++i) {
    const uint32_t zone = zones.of[i];
    (*shares)[i].home = zone_sum[zone] < 1.0 ? members[i].weight / static_cast<double>(zones.weight[zone])
                                             : std::min(1.0, level * members[i].weight);
  }
}

void ShareCoordination(const std::vector<RingMember>& members, std::vector<Share>* shares) {
  const auto share_at = [&](double level, size_t i) {
    return std::min((*shares)[i].home, level * members[i].weight);
  };
  const double level = Solve(
      [&](double at) {
        double sum = 0;
        for (size_t i = 0; i < members.size(); ++i) sum += share_at(at, i);
        return sum;
      },
      1.0);
  for (size_t i = 0; i < members.size(); ++i) (*shares)[i].coordinator = share_at(level, i);
}

}  // namespace

Zones Zones::Of(const std::vector<RingMember>& members) {
  Zones zones;
  std::map<std::string, uint32_t> numbers;
  for (const RingMember& member : members) {
    uint32_t number = zones.count;
    if (!member.zone.empty()) number = numbers.try_emplace(member.zone, number).first->second;
    if (number == zones.count) {
      ++zones.count;
      zones.weight.push_back(0);
    }
    zones.of.push_back(number);
    zones.weight[number] += member.weight;
  }
  return zones;
}

std::vector<Share> ComputeShares(const std::vector<RingMember>& members, const Zones& zones,
                                 int homes_per_slot) {
  std::vector<Share> shares(members.size());
  if (members.empty()) return shares;
  if (zones.count >= static_cast<uint32_t>(homes_per_slot)) {
    ShareAmongManyZones(members, zones, homes_per_slot, &shares);
  } else {
    ShareAmongFewZones(members, zones, homes_per_slot, &shares);
  }
  ShareCoordination(members, &shares);
  for (Share& share : shares) {
    share.home_max = Bound(share.home);
    share.coordinator_max = Bound(share.coordinator);
  }
  return shares;
}

}  // namespace orrery::ring

#include "simulation/scale/ring_scale.h"

#include <algorithm>

#include "orrery/base/hash.h"
#include "orrery/ring/ring_diff.h"
#include "ring/token_seed_chooser.h"

namespace orrery::simulation {
namespace {

using ring::Ring;
using ring::RingDiff;
using ring::RingMember;

constexpr int kHomes = 3;

struct Movement {
  double moved = 0;
  double least = 0;

  void Add(const Ring& before, const Ring& after, double homes_of_mover) {
    moved += static_cast<double>(RingDiff::Between(before, after).homes.size());
    least += homes_of_mover;
  }
  double ratio() const { return least == 0 ? 1 : moved / least; }
};

}  // namespace

std::vector<RingMember> GrowingRing::Newcomers(size_t count) const {
  std::vector<RingMember> newcomers;
  while (newcomers.size() < count) {
    const uint64_t number = members_.size() + newcomers.size();
    newcomers.push_back(
        {.id = {Hash64("node", seed_ + number) | 1}, .weight = 1, .zone = {}, .token_seed = 0});
  }
  if (members_.size() < kHomes) return newcomers;
  const ring::TokenSeedChooser chooser(members_, newcomers.front(), kHomes);
  for (RingMember& newcomer : newcomers) newcomer.token_seed = chooser.Choose(newcomer.id);
  return newcomers;
}

void GrowingRing::GrowTo(size_t count) {
  while (members_.size() < count) {
    const auto newcomers = Newcomers(std::min(count - members_.size(), members_.size() / 64 + 1));
    members_.insert(members_.end(), newcomers.begin(), newcomers.end());
  }
}

RingScale GrowingRing::Measure(size_t trials) const {
  const Ring ring = Ring::Build(members_, kHomes);
  RingScale scale;
  uint32_t homes_most = 0, coordinated_most = 0;
  for (const RingMember& member : members_) {
    homes_most = std::max(homes_most, ring.HomeCount(member.id));
    coordinated_most = std::max(coordinated_most, ring.CoordinatorCount(member.id));
  }
  const double mean = static_cast<double>(kSlotCount) / static_cast<double>(members_.size());
  scale.efficiency_homes = mean * ring.homes_per_slot() / homes_most;
  scale.efficiency_coordinated = mean / coordinated_most;

  Movement join, leave;
  for (const RingMember& newcomer : Newcomers(trials)) {
    std::vector<RingMember> joined = members_;
    joined.push_back(newcomer);
    // What a newcomer must get: an even share.
    join.Add(ring, Ring::Build(joined, kHomes),
             mean * kHomes * static_cast<double>(members_.size()) / static_cast<double>(joined.size()));
  }
  for (size_t i = 0; i < trials && members_.size() > kHomes; ++i) {
    std::vector<RingMember> left = members_;
    const size_t leaver = (2 * i + 1) * left.size() / (2 * trials);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(leaver));
    leave.Add(ring, Ring::Build(left, kHomes), ring.HomeCount(members_[leaver].id));
  }
  scale.join_moves = join.ratio();
  scale.leave_moves = leave.ratio();
  return scale;
}

}  // namespace orrery::simulation

#include "orrery/ring/ring.h"

#include <algorithm>
#include <map>

#include "coordinators.h"
#include "dealing.h"
#include "orrery/base/check.h"
#include "orrery/base/codec.h"
#include "orrery/base/hash.h"
#include "token_order.h"

namespace orrery::ring {
namespace {

void SortAndCheck(std::vector<RingMember>* members) {
  std::erase_if(*members, [](const RingMember& member) { return member.weight == 0; });
  std::sort(members->begin(), members->end(),
            [](const RingMember& a, const RingMember& b) { return a.id < b.id; });
  for (size_t i = 0; i < members->size(); ++i) {
    ORRERY_CHECK((*members)[i].id);
    ORRERY_CHECK(i == 0 || (*members)[i - 1].id != (*members)[i].id);
  }
}

/// Appends the slot to the last range if it continues it, else starts a new one.
void Extend(std::vector<SlotRange>* ranges, SlotId slot) {
  if (!ranges->empty() && ranges->back().last + 1 == slot) {
    ranges->back().last = slot;
  } else {
    ranges->push_back({slot, slot});
  }
}

}  // namespace

Ring::Ring() : order_(std::make_shared<const TokenOrder>(std::vector<RingMember>{}, 0)) {}

Ring Ring::Build(std::vector<RingMember> members, int replication_factor) {
  ORRERY_CHECK(replication_factor >= 1);
  SortAndCheck(&members);
  Ring ring;
  ring.replication_factor_ = replication_factor;
  if (members.empty()) return ring;

  const int count = static_cast<int>(std::min(members.size(), static_cast<size_t>(replication_factor)));
  const auto order = std::make_shared<const TokenOrder>(std::move(members), count);
  Dealing dealing = Dealing::ByTokens(*order, count);
  dealing.BoundLoads(*order);
  const std::vector<uint32_t> coordinators = ChooseCoordinators(*order, dealing);

  ring.homes_per_slot_ = count;
  ring.order_ = order;
  ring.homes_.reserve(static_cast<size_t>(kSlotCount) * count);
  for (uint32_t i = 0; i < kSlotCount; ++i) {
    Home* homes = dealing.HomesOf(static_cast<SlotId>(i));
    std::swap(homes[0], homes[coordinators[i]]);
    std::sort(homes + 1, homes + count);
    for (int k = 0; k < count; ++k) ring.homes_.push_back(order->members()[homes[k].member].id);
  }
  return ring;
}

Ring Ring::Only(const std::bitset<kSlotCount>& kept) const {
  Ring ring = *this;
  for (SlotId slot = 0; slot < kSlotCount; ++slot) {
    if (kept[slot]) continue;
    std::fill_n(ring.homes_.begin() + static_cast<std::ptrdiff_t>(slot) * homes_per_slot_, homes_per_slot_, NodeId{});
  }
  return ring;
}

const std::vector<RingMember>& Ring::members() const {
  return order_->members();
}

bool Ring::Contains(NodeId node) const {
  return order_->IndexOf(node) != order_->size();
}

bool Ring::IsHome(SlotId slot, NodeId node) const {
  const auto homes = Homes(slot);
  return std::find(homes.begin(), homes.end(), node) != homes.end();
}

std::vector<NodeId> Ring::Fallbacks(SlotId slot) const {
  std::vector<Home> others;
  std::vector<uint32_t> listed(order_->zones().count);
  for (MemberIndex member = 0; member < order_->size(); ++member) {
    if (IsHome(slot, members()[member].id)) {
      ++listed[order_->zone(member)];
    } else {
      others.push_back({order_->At(member, slot), member});
    }
  }
  std::sort(others.begin(), others.end());
  // Round by round: the strongest of each zone that is listed least so far.
  std::multimap<uint32_t, NodeId> rounds;
  for (const Home& home : others) {
    rounds.emplace(listed[order_->zone(home.member)]++, members()[home.member].id);
  }
  std::vector<NodeId> fallbacks;
  fallbacks.reserve(rounds.size());
  for (const auto& [round, node] : rounds) fallbacks.push_back(node);
  return fallbacks;
}

std::vector<SlotRange> Ring::SlotsOf(NodeId node) const {
  std::vector<SlotRange> ranges;
  if (!node) return ranges;
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    if (Coordinator(static_cast<SlotId>(slot)) == node) Extend(&ranges, static_cast<SlotId>(slot));
  }
  return ranges;
}

std::vector<SlotRange> Ring::SlotsHeldBy(NodeId node) const {
  std::vector<SlotRange> ranges;
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    if (IsHome(static_cast<SlotId>(slot), node)) Extend(&ranges, static_cast<SlotId>(slot));
  }
  return ranges;
}

std::vector<CoordinatedRange> Ring::CoordinatedRanges() const {
  std::vector<CoordinatedRange> ranges;
  if (homes_per_slot_ == 0) return ranges;
  for (uint32_t i = 0; i < kSlotCount; ++i) {
    const auto slot = static_cast<SlotId>(i);
    if (ranges.empty() || ranges.back().coordinator != Coordinator(slot)) {
      ranges.push_back({{slot, slot}, Coordinator(slot)});
    }
    ranges.back().slots.last = slot;
  }
  return ranges;
}

uint32_t Ring::CoordinatorCount(NodeId node) const {
  uint32_t count = 0;
  for (const SlotRange& range : SlotsOf(node)) count += range.last - range.first + 1u;
  return count;
}

uint32_t Ring::HomeCount(NodeId node) const {
  return static_cast<uint32_t>(std::count(homes_.begin(), homes_.end(), node));
}

uint64_t Ring::Fingerprint() const {
  std::string bytes;
  Encoder out(&bytes);
  out.PutVarint(static_cast<uint64_t>(homes_per_slot_));
  for (NodeId home : homes_) out.PutU64(home.value);
  return Hash64(bytes);
}

}  // namespace orrery::ring

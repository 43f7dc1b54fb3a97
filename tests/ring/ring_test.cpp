#include "orrery/ring/ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "members.h"
#include "ring/shares.h"

namespace orrery::ring {
namespace {

std::set<std::string> ZonesOfHomes(const Ring& ring, const std::vector<RingMember>& members, SlotId slot) {
  std::set<std::string> zones;
  for (NodeId home : ring.Homes(slot)) {
    for (const RingMember& member : members) {
      if (member.id == home) zones.insert(member.zone);
    }
  }
  return zones;
}

/// The highest load over its fair share, over all members.
double WorstHomeLoad(const Ring& ring, const std::map<NodeId, double>& fair) {
  double worst = 0;
  for (const RingMember& member : ring.members()) {
    worst = std::max(worst, ring.HomeCount(member.id) / fair.at(member.id));
  }
  return worst;
}

double WorstCoordinatorLoad(const Ring& ring, uint64_t weights) {
  double worst = 0;
  for (const RingMember& member : ring.members()) {
    const double fair = static_cast<double>(kSlotCount) * member.weight / static_cast<double>(weights);
    worst = std::max(worst, ring.CoordinatorCount(member.id) / fair);
  }
  return worst;
}

TEST(RingTest, HasNoHomesWithoutMembers) {
  for (const Ring& ring : {Ring(), Ring::Build({}, 3)}) {
    EXPECT_TRUE(ring.Homes(7).empty());
    EXPECT_FALSE(ring.Coordinator(7));
    EXPECT_EQ(ring.PreferenceListOf(7).size(), 0u);
    EXPECT_TRUE(ring.CoordinatedRanges().empty());
    EXPECT_TRUE(ring.SlotsOf(NodeId{}).empty());
    EXPECT_FALSE(ring.Contains(NodeId{1}));
  }
}

TEST(RingTest, GivesASingleNodeEverything) {
  const Ring ring = Ring::Build({{NodeId{5}}}, 3);
  EXPECT_EQ(ring.homes_per_slot(), 1);
  EXPECT_EQ(ring.replication_factor(), 3);
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    ASSERT_EQ(ring.Homes(static_cast<SlotId>(slot)).size(), 1u);
    ASSERT_EQ(ring.Coordinator(static_cast<SlotId>(slot)), NodeId{5});
  }
  EXPECT_EQ(ring.SlotsOf(NodeId{5}), (std::vector<SlotRange>{{0, kSlotCount - 1}}));
  EXPECT_EQ(ring.SlotsHeldBy(NodeId{5}), ring.SlotsOf(NodeId{5}));
}

TEST(RingTest, UsesEveryMemberWhenThereAreFewerThanReplicas) {
  const Ring ring = Ring::Build(MemberMaker(1).Many(2), 3);
  EXPECT_EQ(ring.homes_per_slot(), 2);
  for (const RingMember& member : ring.members()) EXPECT_EQ(ring.HomeCount(member.id), kSlotCount);
}

TEST(RingTest, GivesEverySlotDistinctHomes) {
  for (int count : {1, 2, 3, 4, 7, 40}) {
    for (int factor : {1, 2, 3, 5}) {
      const Ring ring = Ring::Build(MemberMaker(static_cast<uint64_t>(count)).Many(count), factor);
      for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
        const auto homes = ring.Homes(static_cast<SlotId>(slot));
        ASSERT_EQ(homes.size(), static_cast<size_t>(std::min(count, factor)));
        ASSERT_EQ(std::set<NodeId>(homes.begin(), homes.end()).size(), homes.size());
        for (NodeId home : homes) ASSERT_TRUE(ring.Contains(home));
      }
    }
  }
}

TEST(RingTest, DoesNotDependOnTheOrderOfInput) {
  std::vector<RingMember> members = MemberMaker(3).Many(20);
  members[4].weight = 7;
  members[5].zone = "a";
  members[6].zone = "a";
  const Ring ring = Ring::Build(members, 3);
  std::mt19937_64 random(4);
  for (int i = 0; i < 5; ++i) {
    std::shuffle(members.begin(), members.end(), random);
    EXPECT_EQ(Ring::Build(members, 3).Fingerprint(), ring.Fingerprint());
  }
  members[0].token_seed = 1;
  EXPECT_NE(Ring::Build(members, 3).Fingerprint(), ring.Fingerprint());
}

// Two versions of the program that disagree here must not run in one cluster.
TEST(RingTest, IsTheSameOnEveryMachineAndInEveryVersion) {
  std::vector<RingMember> members;
  for (uint64_t id = 1; id <= 12; ++id) {
    members.push_back({NodeId{id * 1000003}, static_cast<uint32_t>(1 + id % 3), id % 4 == 0 ? "x" : "", 0});
  }
  EXPECT_EQ(Ring::Build(members, 3).Fingerprint(), 13934377389763308935u);
}

TEST(RingTest, SharesByWeight) {
  MemberMaker maker(11);
  std::vector<RingMember> members;
  uint64_t weights = 0;
  for (uint32_t i = 0; i < 24; ++i) {
    members.push_back(maker.One(100 * (1 + i % 4)));
    weights += members.back().weight;
  }
  const Ring ring = Ring::Build(members, 3);
  std::map<NodeId, double> fair;
  for (const RingMember& member : members) {
    fair[member.id] = 3.0 * kSlotCount * member.weight / static_cast<double>(weights);
  }
  EXPECT_LE(WorstHomeLoad(ring, fair), 1 / 0.95);
  EXPECT_LE(WorstCoordinatorLoad(ring, weights), 1 / 0.95);
  for (const RingMember& member : members) EXPECT_GE(ring.HomeCount(member.id) / fair[member.id], 0.85);
}

TEST(RingTest, GivesAHeavyNodeEverySlotAndTheOthersTheRest) {
  MemberMaker maker(12);
  std::vector<RingMember> members = maker.Many(5);
  members.push_back(maker.One(50));
  const Ring ring = Ring::Build(members, 3);
  std::map<NodeId, double> fair;
  for (const RingMember& member : members) {
    fair[member.id] = member.weight == 50 ? kSlotCount : 2.0 * kSlotCount / 5;
  }
  EXPECT_EQ(ring.HomeCount(members.back().id), kSlotCount);
  EXPECT_LE(WorstHomeLoad(ring, fair), 1 / 0.95);
  EXPECT_LE(WorstCoordinatorLoad(ring, 55), 1 / 0.95);
}

TEST(RingTest, KeepsWeightlessNodesOutOfEveryList) {
  std::vector<RingMember> members = MemberMaker(13).Many(4);
  members[2].weight = 0;
  const Ring ring = Ring::Build(members, 3);
  EXPECT_FALSE(ring.Contains(members[2].id));
  EXPECT_EQ(ring.HomeCount(members[2].id), 0u);
  EXPECT_EQ(ring.PreferenceListOf(0).size(), 3u);
}

TEST(RingTest, SpreadsHomesOverZones) {
  MemberMaker maker(21);
  std::vector<RingMember> members;
  std::map<NodeId, double> fair;
  for (int i = 0; i < 12; ++i) {
    members.push_back(maker.One(1, std::string(1, static_cast<char>('a' + i % 3))));
    fair[members.back().id] = kSlotCount / 4.0;
  }
  const Ring ring = Ring::Build(members, 3);
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    ASSERT_EQ(ZonesOfHomes(ring, members, static_cast<SlotId>(slot)).size(), 3u) << slot;
  }
  EXPECT_LE(WorstHomeLoad(ring, fair), 1 / 0.95);
  EXPECT_LE(WorstCoordinatorLoad(ring, 12), 1 / 0.95);
}

TEST(RingTest, SharesByWeightOverManyUnequalZones) {
  MemberMaker maker(22);
  std::vector<RingMember> members;
  std::map<NodeId, double> fair;
  // Zones of 3, 4, 5, 6 and 7 nodes: none is so large that it would need two homes of a slot.
  for (int zone = 0; zone < 5; ++zone) {
    for (int i = 0; i < 3 + zone; ++i) {
      members.push_back(maker.One(1, std::string(1, static_cast<char>('a' + zone))));
      fair[members.back().id] = 3.0 * kSlotCount / 25;
    }
  }
  const Ring ring = Ring::Build(members, 3);
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    ASSERT_EQ(ZonesOfHomes(ring, members, static_cast<SlotId>(slot)).size(), 3u) << slot;
  }
  EXPECT_LE(WorstHomeLoad(ring, fair), 1 / 0.95);
  EXPECT_LE(WorstCoordinatorLoad(ring, 25), 1 / 0.95);
}

TEST(RingTest, ShowsEveryZoneWhenThereAreFewerThanHomes) {
  MemberMaker maker(23);
  std::vector<RingMember> members;
  std::map<NodeId, double> fair;
  for (int i = 0; i < 10; ++i) {
    members.push_back(maker.One(1, i < 6 ? "a" : "b"));
    fair[members.back().id] = 3.0 * kSlotCount / 10;
  }
  const Ring ring = Ring::Build(members, 3);
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) {
    ASSERT_EQ(ZonesOfHomes(ring, members, static_cast<SlotId>(slot)).size(), 2u) << slot;
  }
  EXPECT_LE(WorstHomeLoad(ring, fair), 1 / 0.95);
  EXPECT_LE(WorstCoordinatorLoad(ring, 10), 1 / 0.95);
}

TEST(RingTest, KeepsALoneNodeOfAZoneInEverySlot) {
  MemberMaker maker(24);
  std::vector<RingMember> members;
  for (int i = 0; i < 9; ++i) members.push_back(maker.One(1, "big"));
  members.push_back(maker.One(1, "small"));
  const Ring ring = Ring::Build(members, 3);
  EXPECT_EQ(ring.HomeCount(members.back().id), kSlotCount);
  EXPECT_LE(WorstCoordinatorLoad(ring, 10), 1 / 0.95);
}

TEST(RingTest, RandomClustersKeepTheirBounds) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 30; ++round) {
    MemberMaker maker(random());
    const auto count = static_cast<uint32_t>(1 + random() % 25);
    const int factor = static_cast<int>(1 + random() % 5);
    const uint32_t zone_count = static_cast<uint32_t>(random() % 6);
    std::vector<RingMember> members;
    std::set<std::string> zones;
    for (uint32_t i = 0; i < count; ++i) {
      std::string zone = zone_count == 0 ? "" : std::to_string(random() % zone_count);
      members.push_back(maker.One(static_cast<uint32_t>(1 + random() % 5), zone));
      zones.insert(zone.empty() ? members.back().id.ToHex() : zone);
    }
    const Ring ring = Ring::Build(members, factor);
    const size_t shown = std::min(zones.size(), static_cast<size_t>(ring.homes_per_slot()));
    const std::vector<Share> shares =
        ComputeShares(ring.members(), Zones::Of(ring.members()), ring.homes_per_slot());
    for (size_t i = 0; i < count; ++i) {
      EXPECT_LE(ring.HomeCount(ring.members()[i].id), shares[i].home_max);
      EXPECT_LE(ring.CoordinatorCount(ring.members()[i].id), shares[i].coordinator_max);
    }
    for (uint32_t i = 0; i < kSlotCount; i += 7) {
      const auto slot = static_cast<SlotId>(i);
      const std::vector<NodeId> list = ring.PreferenceListOf(slot).All();
      ASSERT_EQ(std::set<NodeId>(list.begin(), list.end()).size(), count);
      if (zone_count > 0) {
        ASSERT_GE(ZonesOfHomes(ring, members, slot).size(), shown);
      }
    }
  }
}

TEST(RingTest, RangesCoverTheRingOnce) {
  const Ring ring = Ring::Build(MemberMaker(31).Many(5), 3);
  uint32_t next = 0;
  for (const CoordinatedRange& range : ring.CoordinatedRanges()) {
    ASSERT_EQ(range.slots.first, next);
    for (uint32_t slot = range.slots.first; slot <= range.slots.last; ++slot) {
      ASSERT_EQ(ring.Coordinator(static_cast<SlotId>(slot)), range.coordinator);
    }
    next = range.slots.last + 1u;
  }
  EXPECT_EQ(next, kSlotCount);

  uint32_t homes = 0;
  for (const RingMember& member : ring.members()) {
    uint32_t held = 0;
    for (const SlotRange& range : ring.SlotsHeldBy(member.id)) held += range.last - range.first + 1u;
    EXPECT_EQ(held, ring.HomeCount(member.id));
    homes += held;
  }
  EXPECT_EQ(homes, 3 * kSlotCount);
}

TEST(RingTest, KeepsNeighbouringSlotsTogetherInASmallCluster) {
  EXPECT_LE(Ring::Build(MemberMaker(32).Many(3), 3).CoordinatedRanges().size(), 200u);
}

}  // namespace
}  // namespace orrery::ring

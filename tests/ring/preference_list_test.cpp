#include "orrery/ring/preference_list.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "members.h"
#include "orrery/ring/ring.h"

namespace orrery::ring {
namespace {

TEST(PreferenceListTest, ListsHomesThenEveryOtherNodeOnce) {
  const Ring ring = Ring::Build(MemberMaker(1).Many(8), 3);
  for (SlotId slot : {SlotId{0}, SlotId{1}, SlotId{5000}, SlotId{16383}}) {
    const PreferenceList list = ring.PreferenceListOf(slot);
    ASSERT_EQ(list.size(), 8u);
    const std::vector<NodeId> all = list.All();
    EXPECT_EQ(std::set<NodeId>(all.begin(), all.end()).size(), 8u);
    for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(list.At(i), all[i]);
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(all[i], ring.Homes(slot)[i]);
  }
}

TEST(PreferenceListTest, NamesTheHomesWhenAllAreHealthy) {
  const Ring ring = Ring::Build(MemberMaker(2).Many(5), 3);
  const auto healthy = ring.PreferenceListOf(9).Healthy([](NodeId) { return true; });
  ASSERT_EQ(healthy.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(healthy[i], (Placement{ring.Homes(9)[i], NodeId{}}));
}

TEST(PreferenceListTest, ReplacesDownHomeWithFallback) {
  const Ring ring = Ring::Build(MemberMaker(3).Many(6), 3);
  const PreferenceList list = ring.PreferenceListOf(100);
  const auto healthy = list.Healthy([&](NodeId node) { return node != list.At(0) && node != list.At(3); });
  ASSERT_EQ(healthy.size(), 3u);
  EXPECT_EQ(healthy[0], (Placement{list.At(1), NodeId{}}));
  EXPECT_EQ(healthy[1], (Placement{list.At(2), NodeId{}}));
  EXPECT_EQ(healthy[2], (Placement{list.At(4), list.At(0)}));
}

TEST(PreferenceListTest, IsShortWhenTooFewAreHealthy) {
  const Ring ring = Ring::Build(MemberMaker(4).Many(4), 3);
  const PreferenceList list = ring.PreferenceListOf(100);
  const auto healthy = list.Healthy([&](NodeId node) { return node == list.At(2) || node == list.At(3); });
  EXPECT_EQ(healthy, (std::vector<Placement>{{list.At(2), NodeId{}}, {list.At(3), list.At(0)}}));
  EXPECT_TRUE(list.Healthy([](NodeId) { return false; }).empty());
}

TEST(PreferenceListTest, PutsZonesNotYetListedFirst) {
  MemberMaker maker(5);
  std::vector<RingMember> members;
  for (int i = 0; i < 12; ++i) members.push_back(maker.One(1, std::to_string(i % 4)));
  const Ring ring = Ring::Build(members, 2);
  const auto zone_of = [&](NodeId id) {
    for (const RingMember& member : members) {
      if (member.id == id) return member.zone;
    }
    return std::string();
  };
  for (uint32_t i = 0; i < kSlotCount; i += 97) {
    const PreferenceList list = ring.PreferenceListOf(static_cast<SlotId>(i));
    for (size_t round = 0; round < 3; ++round) {
      std::set<std::string> zones;
      for (size_t k = 0; k < 4; ++k) zones.insert(zone_of(list.At(4 * round + k)));
      EXPECT_EQ(zones.size(), 4u) << "slot " << i << " round " << round;
    }
  }
}

// A node that takes over for an absent one should not be the same one everywhere.
TEST(PreferenceListTest, SpreadsTheSlotsOfAnAbsentNodeOverTheOthers) {
  const Ring ring = Ring::Build(MemberMaker(6).Many(10), 3);
  const NodeId absent = ring.members()[4].id;
  std::map<NodeId, int> taken;
  for (uint32_t i = 0; i < kSlotCount; ++i) {
    for (const Placement& placement :
         ring.PreferenceListOf(static_cast<SlotId>(i)).Healthy([&](NodeId node) { return node != absent; })) {
      if (placement.stands_in_for == absent) ++taken[placement.node];
    }
  }
  EXPECT_EQ(taken.size(), 9u);
  for (const auto& [node, count] : taken) EXPECT_LT(count, 2 * static_cast<int>(ring.HomeCount(absent)) / 9);
}

}  // namespace
}  // namespace orrery::ring

#include "orrery/ring/ring_diff.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "members.h"

namespace orrery::ring {
namespace {

TEST(RingDiffTest, OfEqualRingsIsEmpty) {
  const Ring ring = Ring::Build(MemberMaker(1).Many(6), 3);
  const RingDiff diff = RingDiff::Between(ring, ring);
  EXPECT_TRUE(diff.homes.empty());
  EXPECT_TRUE(diff.coordinators.empty());
}

TEST(RingDiffTest, TurnsOneRingIntoTheOther) {
  std::vector<RingMember> members = MemberMaker(2).Many(9);
  const Ring before = Ring::Build({members.begin(), members.end() - 2}, 3);
  const Ring after = Ring::Build({members.begin() + 1, members.end()}, 3);
  std::vector<std::vector<NodeId>> homes(kSlotCount);
  for (uint32_t i = 0; i < kSlotCount; ++i) {
    const auto slot = static_cast<SlotId>(i);
    homes[i].assign(before.Homes(slot).begin(), before.Homes(slot).end());
  }
  const RingDiff diff = RingDiff::Between(before, after);
  EXPECT_FALSE(diff.homes.empty());
  for (const HomeChange& change : diff.homes) {
    EXPECT_EQ(std::count(homes[change.slot].begin(), homes[change.slot].end(), change.departing), 1);
    std::replace(homes[change.slot].begin(), homes[change.slot].end(), change.departing, change.arriving);
  }
  for (uint32_t i = 0; i < kSlotCount; ++i) {
    const auto slot = static_cast<SlotId>(i);
    EXPECT_TRUE(std::is_permutation(homes[i].begin(), homes[i].end(), after.Homes(slot).begin(),
                                    after.Homes(slot).end()));
  }
  for (const CoordinatorChange& change : diff.coordinators) {
    EXPECT_EQ(change.before, before.Coordinator(change.slot));
    EXPECT_EQ(change.after, after.Coordinator(change.slot));
  }
}

TEST(RingDiffTest, LeavesOneSideEmptyWhenTheNumberOfHomesChanges) {
  const std::vector<RingMember> members = MemberMaker(3).Many(2);
  const Ring one = Ring::Build({members[0]}, 3);
  const Ring two = Ring::Build(members, 3);
  const RingDiff grown = RingDiff::Between(one, two);
  ASSERT_EQ(grown.homes.size(), kSlotCount);
  EXPECT_EQ(grown.homes[5], (HomeChange{5, NodeId{}, members[1].id}));
  const RingDiff shrunk = RingDiff::Between(two, one);
  EXPECT_EQ(shrunk.homes[5], (HomeChange{5, members[1].id, NodeId{}}));
  EXPECT_EQ(RingDiff::Between(Ring(), one).homes.size(), kSlotCount);
}

TEST(RingDiffTest, AJoinTakesOnlyWhatTheNewcomerHolds) {
  MemberMaker maker(4);
  std::vector<RingMember> members = maker.Many(12);
  const Ring before = Ring::Build(members, 3);
  members.push_back(maker.One());
  const Ring after = Ring::Build(members, 3);
  for (const HomeChange& change : RingDiff::Between(before, after).homes) {
    EXPECT_EQ(change.arriving, members.back().id);
  }
}

}  // namespace
}  // namespace orrery::ring

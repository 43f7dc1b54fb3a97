#include "ring/shares.h"

#include <gtest/gtest.h>

#include <numeric>

namespace orrery::ring {
namespace {

std::vector<Share> Shares(const std::vector<RingMember>& members, int homes) {
  return ComputeShares(members, Zones::Of(members), homes);
}

TEST(SharesTest, FollowWeights) {
  const auto shares = Shares({{NodeId{1}, 1}, {NodeId{2}, 2}, {NodeId{3}, 3}, {NodeId{4}, 4}}, 2);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(shares[i].home, 0.2 * static_cast<double>(i + 1), 1e-9);
    EXPECT_NEAR(shares[i].coordinator, 0.1 * static_cast<double>(i + 1), 1e-9);
  }
}

TEST(SharesTest, NeverExceedOneHomePerSlot) {
  const auto shares = Shares({{NodeId{1}, 1}, {NodeId{2}, 1}, {NodeId{3}, 1}, {NodeId{4}, 100}}, 3);
  EXPECT_NEAR(shares[3].home, 1, 1e-9);
  EXPECT_NEAR(shares[0].home, 2.0 / 3, 1e-9);
  EXPECT_NEAR(shares[3].coordinator, 100.0 / 103, 1e-9);
}

TEST(SharesTest, BoundAZoneToOneHomeWhenThereAreEnoughZones) {
  const auto shares =
      Shares({{NodeId{1}, 1, "a"}, {NodeId{2}, 1, "a"}, {NodeId{3}, 1, "b"}, {NodeId{4}, 1, "c"}}, 3);
  EXPECT_NEAR(shares[0].home, 0.5, 1e-9);
  EXPECT_NEAR(shares[1].home, 0.5, 1e-9);
  EXPECT_NEAR(shares[2].home, 1, 1e-9);
  EXPECT_NEAR(shares[2].coordinator, 0.25, 1e-9);
}

TEST(SharesTest, GiveEveryZoneAHomeWhenThereAreTooFew) {
  const auto shares =
      Shares({{NodeId{1}, 5, "a"}, {NodeId{2}, 5, "a"}, {NodeId{3}, 5, "a"}, {NodeId{4}, 1, "b"}}, 3);
  EXPECT_NEAR(shares[3].home, 1, 1e-9);
  EXPECT_NEAR(shares[0].home, 2.0 / 3, 1e-9);
  EXPECT_NEAR(shares[3].coordinator, 1.0 / 16, 1e-9);
}

TEST(SharesTest, BoundLoadsAboveTheFairShareButClose) {
  std::vector<RingMember> members;
  for (uint64_t id = 1; id <= 1000; ++id) members.push_back({NodeId{id}});
  for (const Share& share : Shares(members, 3)) {
    EXPECT_EQ(share.home_max, 51u);         // of 49.152
    EXPECT_EQ(share.coordinator_max, 17u);  // of 16.384
  }
}

TEST(ZonesTest, ANodeWithoutAZoneIsAZoneOfItsOwn) {
  const Zones zones = Zones::Of({{NodeId{1}, 2}, {NodeId{2}, 3, "a"}, {NodeId{3}, 4}, {NodeId{4}, 5, "a"}});
  EXPECT_EQ(zones.count, 3u);
  EXPECT_EQ(zones.of[1], zones.of[3]);
  EXPECT_NE(zones.of[0], zones.of[2]);
  EXPECT_EQ(std::accumulate(zones.weight.begin(), zones.weight.end(), uint64_t{0}), 14u);
  EXPECT_EQ(zones.weight[zones.of[1]], 8u);
}

}  // namespace
}  // namespace orrery::ring

// Membership and ring from 10 to 100 nodes, with one message in a hundred lost; `simulate --nodes 1000` is
// the long form.

#include "simulation/scale/scale.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace orrery::simulation {
namespace {

constexpr uint64_t kSeed = 20071014;

TEST(ScaleTest, MembershipAndRingKeepTheirPromisesAsTheClusterGrows) {
  for (const ScaleRow& row : MeasureScale({10, 30, 100}, kSeed)) {
    SCOPED_TRACE("nodes " + std::to_string(row.nodes));
    const double rounds = 2 + std::log2(static_cast<double>(row.nodes));
    EXPECT_LE(row.gossip.rounds_to_meet, rounds);
    EXPECT_LE(row.gossip.rounds_to_know, rounds);
    EXPECT_GT(row.gossip.bytes_to_know, 0u);
    EXPECT_LE(row.gossip.bytes_at_rest, 10.0);
    EXPECT_EQ(row.lost.false_suspicions, 0u);
    // Two retransmissions in a row make a silence that the detector takes for a death, rightly or not.
    EXPECT_LE(static_cast<double>(row.late.false_suspicions), 3 * row.late.pair_hours);
    EXPECT_GT(row.lost.noticed_ms, 0);
    EXPECT_LE(row.lost.noticed_ms_most, 1000);
    EXPECT_GE(row.ring.efficiency_homes, 0.95);
    EXPECT_GE(row.ring.efficiency_coordinated, 0.95);
    EXPECT_LE(row.ring.join_moves, 1.15);
    EXPECT_LE(row.ring.leave_moves, 1.15);
  }
}

TEST(ScaleTest, SecondMeasurementOfASeedIsTheFirstAgain) {
  const GossipScale first = MeasureGossip(30, kScaleLoss, 60, kSeed);
  const GossipScale second = MeasureGossip(30, kScaleLoss, 60, kSeed);
  EXPECT_EQ(first.rounds_to_meet, second.rounds_to_meet);
  EXPECT_EQ(first.bytes_to_meet, second.bytes_to_meet);
  EXPECT_EQ(first.bytes_to_know, second.bytes_to_know);
}

// The watch itself is not blind: with half of all heartbeats lost, somebody is suspected.
TEST(ScaleTest, HeavyLossIsSeenAsFalseSuspicion) {
  EXPECT_GT(MeasureDetector(30, 0.5, LossKind::kLost, kSeed).false_suspicions, 0u);
}

}  // namespace
}  // namespace orrery::simulation

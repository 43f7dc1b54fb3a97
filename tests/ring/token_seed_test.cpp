#include "orrery/ring/token_seed.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "members.h"

namespace orrery::ring {
namespace {

/// Sum of squared deviations of the homes from the mean.
double Unevenness(const Ring& ring) {
  const double mean =
      static_cast<double>(kSlotCount) * ring.homes_per_slot() / static_cast<double>(ring.members().size());
  double sum = 0;
  for (const RingMember& member : ring.members()) {
    const double off = ring.HomeCount(member.id) - mean;
    sum += off * off;
  }
  return sum;
}

TEST(TokenSeedTest, IsZeroWhenEveryNodeHoldsEverySlot) {
  MemberMaker maker(1);
  EXPECT_EQ(ChooseTokenSeed({}, maker.One(), 3), 0u);
  EXPECT_EQ(ChooseTokenSeed(maker.Many(2), maker.One(), 3), 0u);
  EXPECT_EQ(ChooseTokenSeed(maker.Many(9), maker.One(0), 3), 0u);
}

TEST(TokenSeedTest, IsAPureFunctionThatIgnoresTheNewcomersOwnEntry) {
  MemberMaker maker(2);
  std::vector<RingMember> members = maker.Many(20);
  RingMember newcomer = maker.One(2, "z");
  const uint32_t seed = ChooseTokenSeed(members, newcomer, 3);
  newcomer.token_seed = 99;
  members.push_back(newcomer);
  std::reverse(members.begin(), members.end());
  EXPECT_EQ(ChooseTokenSeed(members, newcomer, 3), seed);
}

TEST(TokenSeedTest, MakesTheLoadsMoreEvenThanNoChoice) {
  std::vector<RingMember> plain;
  std::vector<RingMember> chosen;
  MemberMaker maker(3);
  for (const RingMember& newcomer : maker.Many(40)) {
    plain.push_back(newcomer);
    chosen.push_back(newcomer);
    chosen.back().token_seed = ChooseTokenSeed(chosen, newcomer, 3);
  }
  EXPECT_LT(Unevenness(Ring::Build(chosen, 3)), Unevenness(Ring::Build(plain, 3)) / 2);
}

TEST(TokenSeedTest, WorksWithZonesOfAnyNumber) {
  for (uint32_t zones : {1u, 2u, 3u, 5u}) {
    MemberMaker maker(zones);
    std::vector<RingMember> members;
    for (uint32_t i = 0; i < 12; ++i) {
      members.push_back(maker.One(1 + i % 2, std::to_string(i % zones)));
      members.back().token_seed = ChooseTokenSeed(members, members.back(), 3);
    }
    // The first node of a new zone takes a home where there was none to give.
    RingMember stranger = maker.One(1, "new");
    stranger.token_seed = ChooseTokenSeed(members, stranger, 3);
    members.push_back(stranger);
    EXPECT_GT(Ring::Build(members, 3).HomeCount(stranger.id), 0u);
  }
}

}  // namespace
}  // namespace orrery::ring

#include "orrery/ring/token.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace orrery::ring {
namespace {

TEST(TokenTest, PermutationsAreOneToOneAndInvert) {
  for (int bits : {7, 10, 14}) {
    for (uint64_t key : {0ull, 1ull, 0xfeedull}) {
      const Permutation permutation(key, bits);
      std::vector<bool> seen(1u << bits);
      for (uint32_t x = 0; x < 1u << bits; ++x) {
        const uint32_t y = permutation.Forward(x);
        ASSERT_LT(y, 1u << bits);
        ASSERT_FALSE(seen[y]);
        seen[y] = true;
        ASSERT_EQ(permutation.Inverse(y), x);
      }
    }
  }
}

TEST(TokenTest, DealsEachFinePositionToOneSlot) {
  const TokenSet tokens(NodeId{77}, 0);
  std::vector<int> dealt(TokenSet::kPositionCount);
  for (uint32_t slot = 0; slot < kSlotCount; ++slot) ++dealt[tokens.Position(static_cast<SlotId>(slot))];
  for (uint32_t position = 0; position < TokenSet::kPositionCount; ++position) {
    if (position < TokenSet::kFineTokens) {
      EXPECT_EQ(dealt[position], 1);
      EXPECT_EQ(tokens.Position(tokens.SlotAt(position)), position);
    } else {
      EXPECT_LE(dealt[position], static_cast<int>(TokenSet::kBlockSlots));
    }
  }
}

TEST(TokenTest, ChancesGrowWithThePositionBetweenZeroAndOne) {
  double last = 0;
  for (uint32_t position = 0; position < TokenSet::kPositionCount; ++position) {
    EXPECT_GT(TokenSet::Chance(position), last);
    last = TokenSet::Chance(position);
  }
  EXPECT_LT(last, 1);
}

TEST(TokenTest, DiffersByNodeAndSeed) {
  std::set<std::vector<uint32_t>> sets;
  for (uint64_t id : {1, 2}) {
    for (uint32_t seed : {0u, 1u}) {
      const TokenSet tokens(NodeId{id}, seed);
      std::vector<uint32_t> positions;
      for (SlotId slot = 0; slot < 100; ++slot) positions.push_back(tokens.Position(slot));
      sets.insert(positions);
    }
  }
  EXPECT_EQ(sets.size(), 4u);
}

}  // namespace
}  // namespace orrery::ring

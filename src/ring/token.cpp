#include "orrery/ring/token.h"

#include <string>

#include "orrery/base/codec.h"
#include "orrery/base/hash.h"

namespace orrery::ring {
namespace {

constexpr int kSlotBits = 14;
constexpr int kBlockBits = 10;
constexpr int kRegionBits = 7;
static_assert(1u << kSlotBits == kSlotCount);
static_assert(1u << kBlockBits == TokenSet::kBlockCount);
static_assert(1u << kRegionBits == TokenSet::kRegionCount);

uint64_t Key(NodeId id, uint32_t token_seed, uint64_t purpose) {
  std::string bytes;
  Encoder out(&bytes);
  out.PutU64(id.value);
  out.PutU32(token_seed);
  return Hash64(bytes, purpose);
}

uint32_t InverseOf(uint32_t odd) {
  uint32_t inverse = odd;  // right in the lowest 3 bits; each step doubles that
  for (int i = 0; i < 4; ++i) inverse *= 2 - odd * inverse;
  return inverse;
}

}  // namespace

Permutation::Permutation(uint64_t key, int bits) : mask_((1u << bits) - 1), shift_((bits + 1) / 2) {
  std::string bytes;
  Encoder(&bytes).PutU64(key);
  for (size_t i = 0; i < rounds_.size(); ++i) {
    const uint64_t draw = Hash64(bytes, i);
    const uint32_t multiplier = static_cast<uint32_t>(draw) | 1;
    rounds_[i] = {multiplier, InverseOf(multiplier), static_cast<uint32_t>(draw >> 32)};
  }
}

TokenSet::TokenSet(NodeId id, uint32_t token_seed)
    : fine_(Key(id, token_seed, 1), kSlotBits),
      block_(Key(id, token_seed, 2), kBlockBits),
      region_(Key(id, token_seed, 3), kRegionBits) {}

double TokenSet::Chance(uint32_t position) {
  constexpr double kFineShare = static_cast<double>(kFineTokens) / kSlotCount;
  if (position < kFineTokens) return (position + 0.5) / kSlotCount;
  return kFineShare + (1 - kFineShare) * (position - kFineTokens + 0.5) / kBlockCount;
}

}  // namespace orrery::ring

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "orrery/base/node_id.h"
#include "orrery/base/slot.h"

namespace orrery::ring {

/// A keyed bijection on the numbers below 2^bits, cheap in both directions. Value type, any thread.
class Permutation {
 public:
  Permutation(uint64_t key, int bits);

  uint32_t Forward(uint32_t x) const {
    for (const Round& round : rounds_) {
      x = (x * round.multiplier + round.summand) & mask_;
      x ^= x >> shift_;
    }
    return x;
  }
  uint32_t Inverse(uint32_t y) const {
    for (size_t i = kRounds; i-- > 0;) {
      y ^= y >> shift_;  // undoes itself, as twice the shift covers the width
      y = ((y - rounds_[i].summand) * rounds_[i].inverse) & mask_;
    }
    return y;
  }

 private:
  struct Round {
    uint32_t multiplier;  // odd
    uint32_t inverse;     // of the multiplier, modulo a power of two
    uint32_t summand;
  };
  static constexpr size_t kRounds = 4;
  std::array<Round, kRounds> rounds_;
  uint32_t mask_;
  int shift_;
};

/// The tokens of one node: one in every slot, at a position that says how strongly the node is drawn to that
/// slot (0 is the strongest). A slot's homes are the nodes whose tokens in it are strongest, so a node that
/// comes or goes changes nothing between the others.
///
/// Instead of drawing positions independently, a node deals itself a shuffled deck: each of the kFineTokens
/// strongest positions goes to exactly one slot, the rest go to whole blocks of neighbouring slots. A deck
/// varies less than dice (docs/ring.md), and the blocks keep neighbouring slots together in small clusters.
///
/// A pure function of (node id, token seed). Value type, any thread.
class TokenSet {
 public:
  static constexpr uint32_t kFineTokens = 1638;  ///< a tenth of the slots
  static constexpr uint32_t kBlockSlots = 16;
  static constexpr uint32_t kBlockCount = kSlotCount / kBlockSlots;
  static constexpr uint32_t kPositionCount = kFineTokens + kBlockCount;

  TokenSet(NodeId id, uint32_t token_seed);

  /// Where this node's token in the slot lies, below kPositionCount.
  uint32_t Position(SlotId slot) const {
    const uint32_t fine = fine_.Forward(slot);
    return fine < kFineTokens ? fine : kFineTokens + block_.Forward(slot / kBlockSlots);
  }
  /// The one slot with a fine position. REQUIRES: position < kFineTokens.
  SlotId SlotAt(uint32_t position) const { return static_cast<SlotId>(fine_.Inverse(position)); }

  /// How strongly the node is drawn to coordinate a region of neighbouring slots, below kRegionCount; 0 is
  /// strongest.
  static constexpr uint32_t kRegionSlots = 128;
  static constexpr uint32_t kRegionCount = kSlotCount / kRegionSlots;
  uint32_t RegionPosition(SlotId slot) const { return region_.Forward(slot / kRegionSlots); }

  /// The share of all slots whose position is below this one (its middle): uniform in (0, 1).
  static double Chance(uint32_t position);

 private:
  Permutation fine_;
  Permutation block_;
  Permutation region_;
};

}  // namespace orrery::ring

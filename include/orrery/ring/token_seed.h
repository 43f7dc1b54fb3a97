#pragma once

#include <cstdint>
#include <vector>

#include "orrery/ring/ring.h"

namespace orrery::ring {

/// Which token set a node that is about to join should use: of a number of candidates, the one that takes
/// most from the fullest members and so leaves the loads most even. The node writes it into its own
/// membership entry, once, before its first join; the ring stays a pure function of the entries.
///
/// It matters in large clusters, where a node has few slots and chance is coarse: with it a thousand nodes
/// stay even with nearly minimal movement; without it every bound still holds, but more homes move
/// (docs/ring.md). A node that knows only part of the cluster, or joins together with others, chooses a
/// little less well and does no harm. Never change it later: that would move all of the node's data.
///
/// A pure function of its arguments, any thread; tens of milliseconds to half a second.
/// REQUIRES: as Ring::Build; newcomer.token_seed is ignored; members may already contain the newcomer.
uint32_t ChooseTokenSeed(std::vector<RingMember> members, const RingMember& newcomer, int replication_factor);

}  // namespace orrery::ring

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace orrery::replication {

/// What decides whether a node may give up its life for CLUSTER RESET
/// (https://redis.io/commands/cluster-reset).
struct ResetSituation {
  bool is_removed = false;  ///< it was removed from the cluster, or has left it
  bool is_known = true;     ///< that it has left; else the others would miss a dead node
  bool is_leaving = false;
  size_t others = 0;      ///< other members, dead ones included
  uint64_t rows = 0;      ///< stored here
  bool is_quiet = false;  ///< it refuses new commands, and none is under way
};

enum class ResetStep : uint8_t {
  kNow,       ///< nothing here is needed by anybody: its rows may be wiped
  kWait,      ///< it hands over what it has, or says that it has; ask again when that is done
  kLeave,     ///< as RING LEAVE, then ask again
  kBeQuiet,   ///< refuse new commands, wait for those under way, and ask again
  kHasKeys,   ///< refused: the only member has keys
  kIsMember,  ///< refused: a member of several has keys
};

/// The next step of a reset. An id stands for what the others know of a disk, so it must never live on with
/// forgotten rows: SOFT and HARD alike end the node's life, and a node with another id begins one. Hence only
/// who owes nobody anything may. What a removed node still has is given up already: the others have made its
/// copies from their own, take nothing from it any more, and have closed its lives without asking for its
/// hints. A member first leaves, so that its hints and its seats go to others; one with keys is to be told so
/// (RING LEAVE), as Redis refuses masters with keys. Pure.
ResetStep NextResetStep(const ResetSituation& situation);

/// Why it is refused, in Redis's words as far as they go; empty for a step that refuses nothing.
std::string_view WhyNoReset(ResetStep step);

}  // namespace orrery::replication

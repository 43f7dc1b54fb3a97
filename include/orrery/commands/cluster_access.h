#pragma once

#include <bitset>
#include <cstdint>
#include <functional>
#include <optional>

#include "orrery/base/slot.h"

namespace orrery::commands {

/// Which slots may hold keys, as the nodes say that answered.
struct KeySurvey {
  /// Clear only where it is certain that a quorum read would find no key: at least R nodes that hold the slot
  /// (homes, or fallbacks in place of homes that are out of reach) said that they have none, no event of it
  /// among their hints, and nobody said otherwise. Set wherever there is doubt: doubt costs a request,
  /// certainty that is wrong costs keys.
  std::bitset<kSlotCount> may_have_keys;
  /// Slots whose coordinator answered, so that `keys` counts them.
  std::bitset<kSlotCount> counted;
  /// Keys of the counted slots, each slot's as its coordinator has it; like DBSIZE in Redis, expired keys
  /// that are not purged yet are among them.
  uint64_t keys = 0;
};

/// What commands over the whole keyspace need of the node beside single-slot requests. One per loop, used on
/// its thread; implemented where the nodes' links are known, and by fakes in tests. Outlives the Dispatcher.
class ClusterAccess {
 public:
  virtual ~ClusterAccess() = default;

  /// Asks every member and every loop at once. Calls done exactly once, on this loop and never inside
  /// SurveyKeys, at the latest when the cluster's timeout has passed; nodes that were silent until then are
  /// doubt, not an error. db: nullopt for all databases together.
  virtual void SurveyKeys(std::optional<uint8_t> db, std::function<void(const KeySurvey&)> done) = 0;

  /// Runs the task on this loop, later.
  virtual void Post(std::function<void()> task) = 0;
};

}  // namespace orrery::commands

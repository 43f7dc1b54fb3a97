#pragma once

#include <bitset>
#include <cstdint>
#include <optional>

#include "orrery/base/slot.h"

namespace orrery::replication {

/// What a survey of the keyspace is about.
struct SurveyQuery {
  std::optional<uint8_t> db;  ///< nullopt: whether there is anything in any database; keys are not counted
  uint8_t read_quorum = 0;    ///< 0: the cluster's R
  uint8_t write_quorum = 0;   ///< 0: the cluster's W
};

/// Which slots may hold keys, as the nodes say that answered.
struct KeySurvey {
  /// Clear only where it is certain that a quorum read would find no key: a quorum of homes in service said
  /// so at the same slot clock, nobody keeps a hint of an event of the slot, and nobody said otherwise. Set
  /// wherever there is doubt: doubt costs a request, certainty that is wrong costs keys.
  std::bitset<kSlotCount> may_have_keys;
  /// Slots whose number of keys is as certain, so that `keys` counts them.
  std::bitset<kSlotCount> counted;
  /// Keys of the counted slots; like DBSIZE in Redis, expired keys that are not purged yet are among them.
  uint64_t keys = 0;
};

}  // namespace orrery::replication

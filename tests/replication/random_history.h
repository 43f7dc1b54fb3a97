#pragma once

#include <map>
#include <vector>

#include "orrery/runtime/random.h"
#include "replication/test_replica.h"

namespace orrery::replication {

/// Events that some actors made of random commands, each having seen some of the others' events.
struct History {
  std::map<causality::Actor, std::vector<causality::EventPtr>> events;
  size_t size() const;
};

/// Sets, removals, counters, expiries, whole collections and several rows at once, over a few keys, so that
/// they meet.
TestReplica::Work RandomWork(runtime::Random* random);
History MakeHistory(runtime::Random* random, size_t actors, size_t events);

}  // namespace orrery::replication

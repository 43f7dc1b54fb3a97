#pragma once

#include <compare>
#include <cstdint>

#include "orrery/base/codec.h"
#include "orrery/base/node_id.h"

namespace orrery::causality {

/// One life of one node. A node takes a new incarnation at every start, so an actor never gives one dot to two events.
struct Actor {
  NodeId node;
  uint64_t incarnation = 0;

  auto operator<=>(const Actor&) const = default;
};

/// One event of one actor in one slot. Counters start at 1 and have no holes (Preguiça et al., "Dotted Version Vectors").
struct Dot {
  Actor actor;
  uint64_t counter = 0;

  auto operator<=>(const Dot&) const = default;
};

void Encode(const Actor& actor, Encoder* out);
void Encode(const Dot& dot, Encoder* out);
Actor DecodeActor(Decoder* in);
Dot DecodeDot(Decoder* in);

}  // namespace orrery::causality

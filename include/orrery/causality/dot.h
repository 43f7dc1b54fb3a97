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

// Into an Encoder or a PieceEncoder.
inline constexpr size_t kDotBytesMax = sizeof(NodeId::value) + 2 * Encoder::kVarintBytesMax;

template <typename Out>
void Encode(const Actor& actor, Out* out) {
  out->PutU64(actor.node.value);
  out->PutVarint(actor.incarnation);
}

template <typename Out>
void Encode(const Dot& dot, Out* out) {
  Encode(dot.actor, out);
  out->PutVarint(dot.counter);
}

inline Actor DecodeActor(Decoder* in) {
  const NodeId node{in->GetU64()};
  return {node, in->GetVarint()};
}

inline Dot DecodeDot(Decoder* in) {
  const Actor actor = DecodeActor(in);
  return {actor, in->GetVarint()};
}

}  // namespace orrery::causality

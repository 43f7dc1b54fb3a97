#include "orrery/causality/dot.h"

namespace orrery::causality {

void Encode(const Actor& actor, Encoder* out) {
  out->PutU64(actor.node.value);
  out->PutVarint(actor.incarnation);
}

void Encode(const Dot& dot, Encoder* out) {
  Encode(dot.actor, out);
  out->PutVarint(dot.counter);
}

Actor DecodeActor(Decoder* in) {
  const NodeId node{in->GetU64()};
  return {node, in->GetVarint()};
}

Dot DecodeDot(Decoder* in) {
  const Actor actor = DecodeActor(in);
  return {actor, in->GetVarint()};
}

}  // namespace orrery::causality

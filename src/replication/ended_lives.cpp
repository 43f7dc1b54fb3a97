#include "orrery/replication/ended_lives.h"

#include <algorithm>

namespace orrery::replication {

using causality::Actor;
using causality::SlotClock;

namespace {

constexpr size_t kSpanBytesMin = 10;

// Of each node the latest life that is over, among those that something is about.
class EndedFinder {
 public:
  explicit EndedFinder(const NodeLives& lives, const SlotClock& clock) : lives_(lives), clock_(clock) {}

  void Look(const Actor& actor) {
    if (clock_.IsClosed(actor) || !lives_.IsOver(actor)) return;
    uint64_t& last = last_[actor.node];
    last = std::max(last, actor.incarnation);
  }
  const std::map<NodeId, uint64_t>& last() const { return last_; }

 private:
  const NodeLives& lives_;
  const SlotClock& clock_;
  std::map<NodeId, uint64_t> last_;
};

}  // namespace

bool EndedLives::Has(const Actor& actor) const {
  return std::any_of(spans.begin(), spans.end(), [&](const Span& span) {
    return span.node == actor.node && actor.incarnation < span.to;
  });
}

void NodeLives::Learn(NodeId node, uint64_t incarnation) {
  uint64_t& known = current_[node];
  known = std::max(known, incarnation);
}

bool NodeLives::IsOver(const Actor& actor) const {
  if (removed_.contains(actor.node)) return true;
  const auto it = current_.find(actor.node);
  return it != current_.end() && actor.incarnation < it->second;
}

EndedLives NodeLives::FindEnded(const SlotClock& clock, const causality::VoidedSet& voided,
                                const std::set<Actor>& heard_of) const {
  EndedFinder finder(*this, clock);
  for (const Actor& actor : heard_of) finder.Look(actor);
  for (const auto& entry : clock.counters().entries()) finder.Look(entry.actor);
  for (const auto& [row_key, id] : voided.cells()) finder.Look(id.dot.actor);
  for (const auto& scope : voided.scopes()) {
    for (const auto& entry : scope.covered.counters().entries()) finder.Look(entry.actor);
  }
  EndedLives ended;
  for (const auto& [node, last] : finder.last()) {
    const auto current = current_.find(node);
    const uint64_t to = removed_.contains(node) ? last + 1 : current->second;
    ended.spans.push_back({node, clock.FloorOf(node), to});
  }
  for (const auto& entry : clock.counters().entries()) {
    if (ended.Has(entry.actor)) ended.counters.Raise(entry.actor, entry.counter);
  }
  return ended;
}

bool HasExactly(const SlotClock& clock, const EndedLives& lives) {
  for (const auto& span : lives.spans) {
    if (clock.FloorOf(span.node) != span.from) return false;
  }
  size_t found = 0;
  for (const auto& entry : clock.counters().entries()) {
    if (!lives.Has(entry.actor)) continue;
    if (lives.counters.Get(entry.actor) != entry.counter) return false;
    ++found;
  }
  return found == lives.counters.entries().size();
}

bool HasClosed(const SlotClock& clock, const EndedLives& lives) {
  return std::all_of(lives.spans.begin(), lives.spans.end(),
                     [&](const EndedLives::Span& span) { return clock.FloorOf(span.node) >= span.to; });
}

void EncodeEndedLives(const EndedLives& lives, Encoder* out) {
  out->PutVarint(lives.spans.size());
  for (const auto& span : lives.spans) {
    out->PutU64(span.node.value);
    out->PutVarint(span.from);
    out->PutVarint(span.to);
  }
  lives.counters.Encode(out);
}

EndedLives DecodeEndedLives(Decoder* in) {
  EndedLives lives;
  const uint64_t n = in->GetCount(kSpanBytesMin);
  for (uint64_t i = 0; i < n && in->ok(); ++i) {
    const NodeId node{in->GetU64()};
    const uint64_t from = in->GetVarint();
    const uint64_t to = in->GetVarint();
    if (from >= to || (i > 0 && !(lives.spans.back().node < node))) in->Fail();
    lives.spans.push_back({node, from, to});
  }
  lives.counters = causality::VersionVector::Decode(in);
  return lives;
}

}  // namespace orrery::replication

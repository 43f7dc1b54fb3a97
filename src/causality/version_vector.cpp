#include "orrery/causality/version_vector.h"

#include <algorithm>

namespace orrery::causality {
namespace {

constexpr size_t kEntryBytesMin = 10;  // node 8, incarnation and counter one or more each

template <typename Entries>
auto LowerBound(Entries& entries, const Actor& actor) {
  return std::lower_bound(entries.begin(), entries.end(), actor,
                          [](const VersionVector::Entry& entry, const Actor& a) { return entry.actor < a; });
}

}  // namespace

void VersionVector::Raise(const Actor& actor, uint64_t counter) {
  if (counter == 0) return;
  const auto it = LowerBound(entries_, actor);
  if (it != entries_.end() && it->actor == actor) {
    it->counter = std::max(it->counter, counter);
  } else {
    entries_.insert(it, {actor, counter});
  }
}

void VersionVector::Erase(const Actor& actor) {
  const auto it = LowerBound(entries_, actor);
  if (it != entries_.end() && it->actor == actor) entries_.erase(it);
}

void VersionVector::Join(const VersionVector& other) {
  for (const Entry& entry : other.entries_) Raise(entry.actor, entry.counter);
}

void VersionVector::Meet(const VersionVector& other) {
  for (Entry& entry : entries_) entry.counter = std::min(entry.counter, other.Get(entry.actor));
  const auto kept = std::remove_if(entries_.begin(), entries_.end(), [](const Entry& e) { return e.counter == 0; });
  entries_.erase(kept, entries_.end());
}

bool VersionVector::Descends(const VersionVector& other) const {
  return std::all_of(other.entries_.begin(), other.entries_.end(),
                     [this](const Entry& entry) { return Get(entry.actor) >= entry.counter; });
}

Causality VersionVector::Compare(const VersionVector& other) const {
  const bool descends = Descends(other);
  const bool precedes = other.Descends(*this);
  if (descends && precedes) return Causality::kEqual;
  if (descends) return Causality::kAfter;
  return precedes ? Causality::kBefore : Causality::kConcurrent;
}

void VersionVector::Encode(Encoder* out) const {
  out->PutVarint(entries_.size());
  for (const Entry& entry : entries_) {
    PieceEncoder<kDotBytesMax> piece;
    causality::Encode(Dot{entry.actor, entry.counter}, &piece);
    out->PutRaw(piece.bytes());
  }
}

VersionVector VersionVector::Decode(Decoder* in) {
  VersionVector vector;
  const uint64_t n = in->GetCount(kEntryBytesMin);
  vector.entries_.reserve(n);
  for (uint64_t i = 0; i < n && in->ok(); ++i) {
    const Dot dot = DecodeDot(in);
    if (dot.counter == 0 || (i > 0 && !(vector.entries_.back().actor < dot.actor))) in->Fail();
    vector.entries_.push_back({dot.actor, dot.counter});
  }
  return vector;
}

}  // namespace orrery::causality

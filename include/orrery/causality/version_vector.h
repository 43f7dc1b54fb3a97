#pragma once

// GCC 12 takes the inline elements of an empty vector for uninitialized.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <absl/container/inlined_vector.h>
#pragma GCC diagnostic pop

#include <cstdint>

#include "orrery/causality/dot.h"

namespace orrery::causality {

/// How two clocks relate (Dynamo, section 4.4).
enum class Causality { kEqual, kBefore, kAfter, kConcurrent };

/// actor -> counter; an absent actor counts 0. Value type, sorted by actor, so equal vectors have equal bytes.
class VersionVector {
 public:
  struct Entry {
    Actor actor;
    uint64_t counter = 0;
    bool operator==(const Entry&) const = default;
  };
  /// Most rows and slots know one or two actors: those stand in the vector itself, not behind a pointer.
  using Entries = absl::InlinedVector<Entry, 2>;

  uint64_t Get(const Actor& actor) const {
    // A slot knows a handful of actors: looking at each is faster than halving.
    for (const Entry& entry : entries_) {
      if (entry.actor == actor) return entry.counter;
    }
    return 0;
  }
  bool Covers(const Dot& dot) const { return Get(dot.actor) >= dot.counter; }
  /// Raises the actor's counter to at least this; lower values change nothing.
  void Raise(const Actor& actor, uint64_t counter);
  void Raise(const Dot& dot) { Raise(dot.actor, dot.counter); }
  void Erase(const Actor& actor);
  /// The least vector that covers both.
  void Join(const VersionVector& other);
  /// Cuts every counter to the other's: what both cover.
  void Meet(const VersionVector& other);

  bool Descends(const VersionVector& other) const;
  Causality Compare(const VersionVector& other) const;

  bool empty() const { return entries_.empty(); }
  const Entries& entries() const { return entries_; }
  bool operator==(const VersionVector&) const = default;

  void Encode(Encoder* out) const;
  /// Fails the decoder on entries that are unordered, doubled or zero.
  static VersionVector Decode(Decoder* in);

 private:
  Entries entries_;
};

}  // namespace orrery::causality

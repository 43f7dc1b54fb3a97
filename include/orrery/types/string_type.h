#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/types/causal_context.h"
#include "orrery/types/key_view.h"

namespace orrery::types {

/// What becomes of a key's end when its value is written.
struct Lifetime {
  enum class Kind : uint8_t { kForever, kKeep, kUntil };
  Kind kind = Kind::kForever;
  uint64_t deadline_ms = 0;

  static Lifetime Forever() { return {}; }
  static Lifetime Keep() { return {Kind::kKeep, 0}; }
  static Lifetime Until(uint64_t deadline_ms) { return {Kind::kUntil, deadline_ms}; }
};

/// A string key as a row of cells, inside one command's transaction: what plain commands see of it, and how
/// they write. A value is the newest Value cell; an integer grows by the Increment cells beside it
/// (docs/data-model.md).
class StringKey : public KeyView {
 public:
  using KeyView::KeyView;

  /// What GET shows. REQUIRES: exists(). The view is of the row, or of *scratch where increments make the
  /// text, and lives until either changes.
  std::string_view Show(std::string* scratch) const;
  std::string Value() const;
  size_t Length() const;
  /// The visible value as an integer; 0 if absent, nullopt if it is none.
  std::optional<int64_t> AsInteger() const;

  /// Replaces all that this coordinator sees.
  void Set(std::string_view value, const Lifetime& lifetime);
  /// REQUIRES: AsInteger() and no overflow.
  void Increment(int64_t delta);

  /// The Dynamo side: every sibling, newest first, the newest with the increments.
  std::vector<std::string> Siblings() const;
  /// Dots of all live cells and what their writers had seen: DGET's context.
  CausalContext Context() const;
  /// Replaces what the context covers and nothing else. The context of what was written: it covers the new
  /// value and what the clock of `seen` covers, and never a sibling that was not read.
  CausalContext Put(std::string_view value, const CausalContext& seen, std::optional<uint64_t> deadline_ms);
  /// Removes what the context covers. How many cells.
  size_t RemoveCovered(const CausalContext& seen);

 private:
  CausalContext CutToClock(const CausalContext& seen) const;
};

/// Removes from the row exactly what `seen`, an earlier reading of it, shows: cells made since stay, and so
/// does what was counted since. For RENAME between slots, whose source may be written between reading and
/// removing it.
void RemoveSeen(storage::Transaction* transaction, std::string_view row_key, const causality::Row& seen);

}  // namespace orrery::types

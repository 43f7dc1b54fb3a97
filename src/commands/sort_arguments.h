#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/base/slot.h"
#include "orrery/commands/command_table.h"

namespace orrery::commands {

/// SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC|DESC] [ALPHA] [STORE destination], as
/// Redis reads it. Views of the arguments.
struct SortArguments {
  std::string_view by;  ///< empty: by the elements themselves, or not at all
  std::vector<std::string_view> gets;
  int64_t offset = 0;
  int64_t count = -1;  ///< negative: all
  bool sorts = true;  ///< false: BY named a pattern without '*', which leaves the elements in their own order
  bool descending = false;
  bool alpha = false;
  size_t store_arg = 0;    ///< where the destination stands; 0: none
  std::string_view error;  ///< Redis's text, if this is no SORT
};
SortArguments ParseSort(Args args, bool may_store);

/// What a pattern names for one element.
struct PatternKey {
  std::string key;
  std::string_view field;  ///< of a hash; empty: the key is a string
};
/// Whether a pattern names keys at all: "#" is the element itself, and one without '*' names nothing.
bool NamesKeys(std::string_view pattern);
/// The slot of all keys that a pattern can name, if its hash tag stands before its '*'.
std::optional<SlotId> SlotOfPattern(std::string_view pattern);
/// REQUIRES: NamesKeys(pattern).
PatternKey KeyOfPattern(std::string_view pattern, std::string_view element);

}  // namespace orrery::commands

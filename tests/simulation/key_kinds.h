#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "orrery/runtime/random.h"

namespace orrery::simulation {

/// What the choice of a client's next command may draw on.
struct Draw {
  runtime::Random& random;
  uint64_t number;   ///< rises with every command: makes values distinct
  uint64_t wall_ms;  ///< by an exact clock
  /// Contexts of the key as clients got them, oldest first.
  const std::vector<std::string>& contexts;
  /// A key of that kind, of any slot.
  std::function<std::string(char kind)> any_key;
};

using Command = std::vector<std::string>;

/// A workload: the commands that clients send to keys of one kind. The first letter of a key names its kind;
/// checkers rely on what the kinds promise.
struct KeyKind {
  char letter;
  const char* what;
  Command (*choose)(const Draw& draw, const std::string& key);
};

/// a: registers and counters mixed, over several slots at a time
/// b: counters, by one, and nothing else ever
/// c: siblings, with contexts new, old and very old
/// d: elements, each a row of its own
/// e: keys that end
/// f: keys that are moved and copied between slots
/// g: hashes, and now and then a string in their place
/// h: sorted sets, as hashes; combined over slots, too
/// j: HyperLogLogs, added to and merged, over slots, too, and nothing else ever
/// k: queues: lists that clients push to and wait at, over slots, too, and nothing else ever
/// l: lists, moved over slots, and now and then a string in their place
/// m: sets, as hashes; combined and moved over slots, too
std::span<const KeyKind> KeyKinds();

}  // namespace orrery::simulation

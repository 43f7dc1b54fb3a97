#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "orrery/base/slot.h"
#include "orrery/commands/command_keys.h"

namespace orrery::commands {

/// The keys of one command that share a slot.
struct SlotPart {
  SlotId slot = 0;
  std::vector<uint32_t> keys;  ///< which of the command's keys: 0 is the first one. Ascending, not empty
};

/// The slot of all keys, if it is one. Allocates nothing. nullopt without keys, too.
std::optional<SlotId> CommonSlot(const KeyRange& range, Args args);
std::optional<SlotId> CommonSlot(const CommandSpec& spec, Args args);

/// The keys by slot, parts in the order of their first keys.
std::vector<SlotPart> SplitBySlot(const KeyRange& range, Args args);
std::vector<SlotPart> SplitBySlot(const CommandSpec& spec, Args args);

/// The arguments of one part: the name, then each of its keys with the values that belong to it.
replication::Arguments PartArguments(const KeyRange& range, Args args, const SlotPart& part);

}  // namespace orrery::commands

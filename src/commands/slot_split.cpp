#include "commands/slot_split.h"

#include <algorithm>
#include <utility>

namespace orrery::commands {

std::optional<SlotId> CommonSlot(const KeyRange& range, Args args) {
  std::optional<SlotId> common;
  for (KeyWalk walk(range, args.size()); walk.valid(); walk.Next()) {
    const SlotId slot = SlotOf(args[walk.position()]);
    if (common.value_or(slot) != slot) return std::nullopt;
    common = slot;
  }
  return common;
}

std::vector<SlotPart> SplitBySlot(const KeyRange& range, Args args) {
  std::vector<std::pair<SlotId, uint32_t>> keys;
  KeyWalk walk(range, args.size());
  keys.reserve(walk.count());
  for (; walk.valid(); walk.Next()) keys.emplace_back(SlotOf(args[walk.position()]), keys.size());
  std::sort(keys.begin(), keys.end());
  std::vector<SlotPart> parts;
  for (const auto& [slot, key] : keys) {
    if (parts.empty() || parts.back().slot != slot) parts.push_back({slot, {}});
    parts.back().keys.push_back(key);
  }
  std::sort(parts.begin(), parts.end(),
            [](const SlotPart& a, const SlotPart& b) { return a.keys.front() < b.keys.front(); });
  return parts;
}

replication::Arguments PartArguments(const KeyRange& range, Args args, const SlotPart& part) {
  replication::Arguments arguments;
  arguments.Append(args[0]);
  for (uint32_t key : part.keys) {
    const size_t begin = static_cast<size_t>(range.first) + size_t{key} * static_cast<size_t>(range.step);
    const size_t end = std::min(begin + static_cast<size_t>(range.step), args.size());
    for (size_t i = begin; i < end; ++i) arguments.Append(args[i]);
  }
  return arguments;
}

}  // namespace orrery::commands

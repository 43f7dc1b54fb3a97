#include "commands/slot_split.h"

#include <algorithm>
#include <utility>

namespace orrery::commands {

namespace {

template <typename Walk>
std::optional<SlotId> CommonSlotOf(Walk walk, Args args) {
  std::optional<SlotId> common;
  for (; walk.valid(); walk.Next()) {
    const SlotId slot = SlotOf(args[walk.position()]);
    if (common.value_or(slot) != slot) return std::nullopt;
    common = slot;
  }
  return common;
}

template <typename Walk>
std::vector<SlotPart> PartsOf(Walk walk, Args args) {
  std::vector<std::pair<SlotId, uint32_t>> keys;
  keys.reserve(args.size());
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

}  // namespace

std::optional<SlotId> CommonSlot(const KeyRange& range, Args args) {
  return CommonSlotOf(KeyWalk(range, args.size()), args);
}
std::optional<SlotId> CommonSlot(const CommandSpec& spec, Args args) {
  return CommonSlotOf(CallKeyWalk(spec, args), args);
}

std::vector<SlotPart> SplitBySlot(const KeyRange& range, Args args) {
  return PartsOf(KeyWalk(range, args.size()), args);
}
std::vector<SlotPart> SplitBySlot(const CommandSpec& spec, Args args) {
  return PartsOf(CallKeyWalk(spec, args), args);
}

replication::Arguments PartArguments(const KeyRange& range, Args args, const SlotPart& part) {
  const auto step = static_cast<size_t>(range.step);
  std::vector<std::string_view> words;
  words.reserve(1 + part.keys.size() * step);
  words.push_back(args[0]);
  for (uint32_t key : part.keys) {
    const size_t begin = static_cast<size_t>(range.first) + size_t{key} * step;
    const size_t end = std::min(begin + step, args.size());
    words.insert(words.end(), args.begin() + static_cast<std::ptrdiff_t>(begin),
                 args.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return replication::Arguments(words);
}

}  // namespace orrery::commands

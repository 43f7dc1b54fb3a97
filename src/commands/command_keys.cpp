#include "orrery/commands/command_keys.h"

#include <algorithm>

#include "commands/command_details.h"
#include "orrery/base/numbers.h"

namespace orrery::commands {
namespace {

constexpr std::string_view kReadsKey = "RO access";
constexpr std::string_view kWritesKey = "RW update";
constexpr std::string_view kVariableFlags = "variable_flags";

/// Whether BITFIELD's operations are GETs alone. What is malformed counts as a write, as in Redis.
bool OnlyGetsBits(Args args) {
  for (size_t i = 2; i < args.size();) {
    const size_t after = args.size() - i - 1;
    if (EqualsIgnoringCase(args[i], "get") && after >= 2) {
      i += 3;
    } else if (EqualsIgnoringCase(args[i], "overflow") && after >= 1) {
      i += 2;
    } else {
      return false;
    }
  }
  return true;
}

bool ShowsOldValue(Args args) {
  return std::any_of(args.begin() + std::min<ptrdiff_t>(3, std::ssize(args)), args.end(),
                     [](std::string_view arg) { return EqualsIgnoringCase(arg, "get"); });
}

/// Of SET and BITFIELD, whose arguments decide whether the old value is shown and whether a new one is
/// written.
std::string_view FlagsOfCall(std::string_view full_name, std::string_view flags, Args args) {
  if (full_name == "set") return ShowsOldValue(args) ? "RW access update" : "OW update";
  if (full_name == "bitfield") return OnlyGetsBits(args) ? "RO access" : "RW access update";
  return flags;
}

KeyRange RangeOf(const KeySpec& spec) {
  return {spec.first, spec.last < 0 ? spec.last : spec.first + spec.last, spec.step};
}

}  // namespace

KeyRange RangeOfCall(const CommandSpec& spec, Args args) {
  if (spec.key_count_arg == 0) return spec.keys;
  const int first = spec.key_count_arg + 1;
  const auto keys = ParseInteger(args[spec.key_count_arg]);
  const auto room = static_cast<int64_t>(args.size()) - first;
  return {first, first + static_cast<int>(keys && *keys > 0 && *keys <= room ? *keys - 1 : 0), 1};
}

KeyWalk::KeyWalk(const KeyRange& range, size_t argc) {
  if (range.step <= 0 || range.first <= 0) return;
  const auto count = static_cast<int64_t>(argc);
  const int64_t last = range.last < 0 ? count + range.last : range.last;
  position_ = static_cast<size_t>(range.first);
  end_ = static_cast<size_t>(std::clamp<int64_t>(last + 1, 0, count));
  step_ = static_cast<size_t>(range.step);
}

std::vector<KeySpec> KeySpecsOf(const CommandSpec& spec, std::string_view full_name) {
  const KeyRange& range = spec.keys;
  if (range.step <= 0) return {};
  std::string_view flags = DetailsOf(full_name).key_flags;
  if (flags.empty()) flags = (spec.flags & kWrite) != 0 ? kWritesKey : kReadsKey;
  const size_t slash = flags.find('/');
  const auto relative = [&](int first) { return range.last < 0 ? range.last : range.last - first; };
  if (slash == std::string_view::npos) return {{range.first, relative(range.first), range.step, flags}};
  const int second = range.first + range.step;
  return {{range.first, 0, range.step, flags.substr(0, slash)},
          {second, relative(second), range.step, flags.substr(slash + 1)}};
}

std::vector<KeyUse> KeysOfCall(const CommandSpec& spec, std::string_view full_name, Args args) {
  std::vector<KeyUse> uses;
  if (spec.key_count_arg != 0) {
    for (KeyWalk walk(RangeOfCall(spec, args), args.size()); walk.valid(); walk.Next()) {
      uses.push_back({args[walk.position()], DetailsOf(full_name).key_flags});
    }
    return uses;
  }
  for (const KeySpec& keys : KeySpecsOf(spec, full_name)) {
    const bool variable = keys.flags.ends_with(kVariableFlags);
    const std::string_view flags = variable ? FlagsOfCall(full_name, keys.flags, args) : keys.flags;
    for (KeyWalk walk(RangeOf(keys), args.size()); walk.valid(); walk.Next()) {
      uses.push_back({args[walk.position()], flags});
    }
  }
  return uses;
}

}  // namespace orrery::commands

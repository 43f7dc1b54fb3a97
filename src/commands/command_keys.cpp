#include "orrery/commands/command_keys.h"

#include <algorithm>

#include "commands/command_details.h"
#include "commands/sort_arguments.h"
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

constexpr std::string_view kStoreOptions[] = {"STORE", "STOREDIST"};

/// No range if the option is not there.
KeyRange StoreKeyOf(const CommandSpec& spec, Args args) {
  if (spec.spread == Spread::kPatterns) {
    const auto arg = static_cast<int>(ParseSort(args, true).store_arg);
    return arg == 0 ? KeyRange() : KeyRange{arg, arg, 1};
  }
  for (size_t i = args.size() - 1; i > spec.store_option_arg; --i) {
    const bool is_store =
        std::any_of(std::begin(kStoreOptions), std::end(kStoreOptions),
                    [&](std::string_view option) { return EqualsIgnoringCase(args[i - 1], option); });
    if (is_store) return {static_cast<int>(i), static_cast<int>(i), 1};
  }
  return {};
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

CallKeyWalk::CallKeyWalk(const CommandSpec& spec, Args args)
    : argc_(args.size()), walk_(spec.keys, args.size()) {
  if (spec.key_count_arg != 0) behind_[0] = RangeOfCall(spec, args);
  if (spec.store_option_arg != 0) behind_[1] = StoreKeyOf(spec, args);
  if (!walk_.valid()) Next();
}

void CallKeyWalk::Next() {
  if (walk_.valid()) walk_.Next();
  while (!walk_.valid() && next_ < behind_.size()) walk_ = KeyWalk(behind_[next_++], argc_);
}

std::vector<KeySpec> KeySpecsOf(const CommandSpec& spec, std::string_view full_name) {
  const KeyRange& range = spec.keys;
  std::string_view flags = DetailsOf(full_name).key_flags;
  if (flags.empty()) flags = (spec.flags & kWrite) != 0 ? kWritesKey : kReadsKey;
  const size_t slash = flags.find('/');
  const std::string_view later_flags = slash == std::string_view::npos ? flags : flags.substr(slash + 1);
  const auto relative = [&](int first) { return range.last < 0 ? range.last : range.last - first; };
  std::vector<KeySpec> specs;
  if (range.step > 0) {
    const bool same = slash == std::string_view::npos || range.last == range.first;
    specs.push_back({range.first, same ? relative(range.first) : 0, range.step, flags.substr(0, slash)});
    const int second = range.first + range.step;
    if (!same) specs.push_back({second, relative(second), range.step, later_flags});
  }
  if (spec.key_count_arg != 0) {
    specs.push_back({spec.key_count_arg, 0, 1, later_flags, KeySpec::Search::kCount});
  }
  if (spec.spread == Spread::kPatterns) {
    const KeySpec unknown{0, 0, 0, flags.substr(0, slash), KeySpec::Search::kUnknown};
    specs.push_back(unknown);
    if (spec.store_option_arg == 0) return specs;
    specs.push_back(unknown);
    specs.back().flags = later_flags;
  } else if (spec.store_option_arg != 0) {
    for (std::string_view option : kStoreOptions) {
      specs.push_back({spec.store_option_arg, 0, 1, later_flags, KeySpec::Search::kOption, option});
    }
  }
  return specs;
}

std::vector<KeyUse> KeysOfCall(const CommandSpec& spec, std::string_view full_name, Args args) {
  std::vector<KeyUse> uses;
  const std::vector<KeySpec> specs = KeySpecsOf(spec, full_name);
  for (CallKeyWalk walk(spec, args); walk.valid(); walk.Next()) {
    // The first key may have flags of its own.
    const std::string_view flags = uses.empty() ? specs.front().flags : specs.back().flags;
    const bool variable = flags.ends_with(kVariableFlags);
    uses.push_back({args[walk.position()], variable ? FlagsOfCall(full_name, flags, args) : flags});
  }
  return uses;
}

}  // namespace orrery::commands

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/commands/command_table.h"

namespace orrery::commands {

/// Where the keys of a command are among its arguments. Pure; any thread.

/// Walks the key positions that a KeyRange means for that many arguments, in order, without allocating:
///
///     for (KeyWalk walk(spec.keys, args.size()); walk.valid(); walk.Next()) Use(args[walk.position()]);
class KeyWalk {
 public:
  KeyWalk(const KeyRange& range, size_t argc);
  bool valid() const { return position_ < end_; }
  size_t position() const { return position_; }
  void Next() { position_ += step_; }
  /// Positions that are left.
  size_t count() const { return valid() ? (end_ - position_ + step_ - 1) / step_ : 0; }

 private:
  size_t position_ = 0;
  size_t end_ = 0;
  size_t step_ = 1;
};

/// Where the keys of this call are: the spec's own range, or what a count among the arguments says. A count that is no
/// number of keys that there are gives the first key alone, so that the handler can say what is wrong.
KeyRange RangeOfCall(const CommandSpec& spec, Args args);

/// As KeyWalk, over all keys of a call: those of the spec's range, those that a count among the arguments announces,
/// and the one that an option names.
class CallKeyWalk {
 public:
  CallKeyWalk(const CommandSpec& spec, Args args);
  bool valid() const { return walk_.valid(); }
  size_t position() const { return walk_.position(); }
  void Next();

 private:
  size_t argc_;
  std::array<KeyRange, 2> behind_;  // empty ones are passed over
  size_t next_ = 0;
  KeyWalk walk_;
};

/// A group of keys and what becomes of them, as the key specifications of Redis 7.0 say it
/// (https://redis.io/docs/reference/key-specs/).
struct KeySpec {
  int first = 0;  ///< position of the first key
  int last = 0;   ///< of the last one: counted from the first, or from the end if negative
  int step = 1;
  std::string_view flags;  ///< "RW access update", as COMMAND INFO prints them
  /// How they are found: by place, by the number that stands at `first`, or behind this option, from `first` on; or only the
  /// command itself can say.
  enum class Search : uint8_t { kRange, kCount, kOption, kUnknown };
  Search search = Search::kRange;
  std::string_view option = {};
};

std::vector<KeySpec> KeySpecsOf(const CommandSpec& spec, std::string_view full_name);

/// A key of one particular call.
struct KeyUse {
  std::string_view key;
  std::string_view flags;  ///< static; where they depend on the arguments (SET with GET), those of this call
};

/// REQUIRES: the arity allows args. Empty if the arguments are too few for the command's keys.
std::vector<KeyUse> KeysOfCall(const CommandSpec& spec, std::string_view full_name, Args args);

}  // namespace orrery::commands

#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "orrery/base/numbers.h"
#include "orrery/commands/command.h"
#include "orrery/commands/command_table.h"
#include "orrery/types/string_type.h"

namespace orrery::commands {

// What handlers share: Redis's error texts, option parsing, and the builders of their specs.

inline constexpr std::string_view kSyntaxError = "ERR syntax error";
inline constexpr std::string_view kNotInteger = "ERR value is not an integer or out of range";
inline constexpr std::string_view kOverflow = "ERR increment or decrement would overflow";
inline constexpr std::string_view kTooLong = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
inline constexpr std::string_view kNoSuchKey = "ERR no such key";
inline constexpr std::string_view kWrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";

/// proto-max-bulk-len's default: no value may grow beyond it, on whatever node it is made.
inline constexpr uint64_t kValueBytesMax = uint64_t{512} << 20;

/// Whether the key may be used as that type: it shows it, or nothing. Otherwise the reply is kWrongType. Counts as a
/// lookup where the command's lookups count.
bool TypeFits(CommandContext& context, const types::KeyView& key, types::KeyType wanted);

inline types::StringKey KeyAt(CommandContext& context, size_t arg) {
  return types::StringKey(&context.transaction, context.db(), context.arg(arg));
}
/// For commands that do not care what the key holds.
inline types::KeyView AnyKeyAt(CommandContext& context, size_t arg) {
  return types::KeyView(&context.transaction, context.db(), context.arg(arg));
}
/// Whether the key shows anything; counts as a lookup.
bool Finds(CommandContext& context, const types::KeyView& key);
inline bool Is(std::string_view arg, std::string_view option) {
  return EqualsIgnoringCase(arg, option);
}

/// An integer argument, or the reply kNotInteger.
std::optional<int64_t> IntegerArg(CommandContext& context, size_t arg);

/// numkeys, or COUNT's number: nullopt if it is not above zero; the reply is that error.
std::optional<uint64_t> PositiveArg(CommandContext& context, size_t arg, std::string_view error);

enum class TimeUnit : uint8_t { kSeconds, kMilliseconds };
enum class TimeBase : uint8_t { kRelative, kAbsolute };

/// A moment given by a client, in milliseconds since the epoch; nullopt if it overflows. May lie in the past,
/// even before the epoch.
std::optional<int64_t> MomentOf(int64_t number, TimeUnit unit, TimeBase base, uint64_t now_ms);

/// EX, PX, EXAT or PXAT, and where its number stands.
struct EndOption {
  TimeUnit unit;
  TimeBase base;
  size_t number_arg = 0;

  /// Redis takes the same option twice, the later one counts; two different ones it does not.
  bool IsSameAs(const EndOption& other) const { return unit == other.unit && base == other.base; }
};
/// nullopt: not such an option.
std::optional<EndOption> EndOptionOf(std::string_view option);
/// The moment that the option names, for the command `name`, or Redis's error reply. Only moments above zero
/// are valid.
std::optional<uint64_t> EndArg(CommandContext& context, const EndOption& option, std::string_view name);

// Specs. One line each: name, arity, flags, keys, group, since, complexity, summary.
constexpr CommandSpec Keyed(std::string_view name, int arity, uint32_t flags, KeyRange keys, Handler handler,
                            std::string_view group, std::string_view since, std::string_view complexity,
                            std::string_view summary) {
  CommandSpec spec;
  spec.name = name;
  spec.arity = arity;
  spec.flags = flags;
  spec.keys = keys;
  spec.spread = Spread::kOneKey;
  spec.handler = handler;
  spec.group = group;
  spec.since = since;
  spec.complexity = complexity;
  spec.summary = summary;
  const bool writes = (flags & kWrite) != 0;
  spec.traits = {true, writes, false, !writes};
  return spec;
}
constexpr CommandSpec With(CommandSpec spec, Spread spread) {
  spec.spread = spread;
  return spec;
}
/// The argument count_arg says how many keys follow it, behind those of the spec's range.
constexpr CommandSpec Counted(CommandSpec spec, uint8_t count_arg) {
  spec.flags |= kMovableKeys;
  spec.key_count_arg = count_arg;
  return spec;
}
/// Writes, and its lookups count as reading (CommandSpec::looks_up).
constexpr CommandSpec LooksUp(CommandSpec spec) {
  spec.looks_up = true;
  return spec;
}
/// Needs no state: written without having read.
constexpr CommandSpec Blind(CommandSpec spec) {
  spec.traits.reads = false;
  spec.traits.blind = true;
  spec.traits.idempotent = true;
  return spec;
}
inline constexpr KeyRange kFirstKey{1, 1, 1};
inline constexpr KeyRange kAllKeys{1, -1, 1};

}  // namespace orrery::commands

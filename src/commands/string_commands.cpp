// https://redis.io/commands/?group=string, without LCS, which has a file of its own.

#include "commands/string_commands.h"

#include <cmath>
#include <string>

#include "commands/command_families.h"
#include "commands/handler_support.h"

namespace orrery::commands {
namespace {

using types::KeyType;
using types::Lifetime;
using types::StringKey;

void ReplyValue(CommandContext& context, const StringKey& key) {
  if (key.type() != KeyType::kString) return context.reply.Null();
  std::string scratch;
  context.reply.BulkString(key.Show(&scratch));
}

void Get(CommandContext& context) {
  const StringKey key = KeyAt(context, 1);
  if (TypeFits(context, key, KeyType::kString)) ReplyValue(context, key);
}

void GetDel(CommandContext& context) {
  StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, KeyType::kString)) return;
  ReplyValue(context, key);
  if (key.exists()) key.Remove();
}

struct SetOptions {
  bool nx = false, xx = false, get = false, keep = false;
  std::optional<EndOption> end;
};

// False: no SET is written so.
bool ParseSetOptions(CommandContext& context, SetOptions* options) {
  for (size_t i = 3; i < context.argc(); ++i) {
    const std::string_view option = context.arg(i);
    auto end = EndOptionOf(option);
    if (Is(option, "nx") && !options->xx) {
      options->nx = true;
    } else if (Is(option, "xx") && !options->nx) {
      options->xx = true;
    } else if (Is(option, "get")) {
      options->get = true;
    } else if (Is(option, "keepttl") && !options->end) {
      options->keep = true;
    } else if (end && i + 1 < context.argc() && !options->keep &&
               end->IsSameAs(options->end.value_or(*end))) {
      end->number_arg = ++i;
      options->end = end;
    } else {
      return false;
    }
  }
  return true;
}

void Set(CommandContext& context) {
  SetOptions options;
  if (!ParseSetOptions(context, &options)) return context.reply.Error(kSyntaxError);
  Lifetime lifetime = options.keep ? Lifetime::Keep() : Lifetime::Forever();
  if (options.end) {
    const auto end_ms = EndArg(context, *options.end, "set");
    if (!end_ms) return;
    lifetime = Lifetime::Until(*end_ms);
  }
  StringKey key = KeyAt(context, 1);
  if (options.get && !TypeFits(context, key, KeyType::kString)) return;
  if (options.get) ReplyValue(context, key);
  const bool allowed = !(options.nx && key.exists()) && !(options.xx && !key.exists());
  if (allowed) key.Set(context.arg(2), lifetime);
  if (options.get) return;
  allowed ? context.reply.Ok() : context.reply.Null();
}

void SetNx(CommandContext& context) {
  StringKey key = KeyAt(context, 1);
  const bool absent = !key.exists();
  if (absent) key.Set(context.arg(2), Lifetime::Forever());
  context.reply.Integer(absent ? 1 : 0);
}

void SetWithEnd(CommandContext& context, TimeUnit unit, std::string_view name) {
  const auto end_ms = EndArg(context, {unit, TimeBase::kRelative, 2}, name);
  if (!end_ms) return;
  KeyAt(context, 1).Set(context.arg(3), Lifetime::Until(*end_ms));
  context.reply.Ok();
}
void SetEx(CommandContext& context) {
  SetWithEnd(context, TimeUnit::kSeconds, "setex");
}
void PSetEx(CommandContext& context) {
  SetWithEnd(context, TimeUnit::kMilliseconds, "psetex");
}

void GetSet(CommandContext& context) {
  StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, KeyType::kString)) return;
  ReplyValue(context, key);
  key.Set(context.arg(2), Lifetime::Forever());
}

struct GetExOptions {
  bool persist = false;
  std::optional<EndOption> end;
};

bool ParseGetExOptions(CommandContext& context, GetExOptions* options) {
  for (size_t i = 2; i < context.argc(); ++i) {
    auto end = EndOptionOf(context.arg(i));
    if (Is(context.arg(i), "persist") && !options->end) {
      options->persist = true;
    } else if (end && i + 1 < context.argc() && !options->persist &&
               end->IsSameAs(options->end.value_or(*end))) {
      end->number_arg = ++i;
      options->end = end;
    } else {
      return false;
    }
  }
  return true;
}

void GetEx(CommandContext& context) {
  GetExOptions options;
  if (!ParseGetExOptions(context, &options)) return context.reply.Error(kSyntaxError);
  StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, KeyType::kString)) return;
  if (!key.exists()) return context.reply.Null();
  std::optional<uint64_t> end_ms;
  if (options.end && !(end_ms = EndArg(context, *options.end, "getex"))) return;
  ReplyValue(context, key);
  if (end_ms) *end_ms <= context.transaction.now_ms() ? key.Remove() : key.ExpireAt(*end_ms);
  if (options.persist && key.deadline()) key.Persist();
}

void Append(CommandContext& context) {
  StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, KeyType::kString)) return;
  const std::string_view tail = context.arg(2);
  const bool exists = key.exists();
  std::string value = exists ? key.Value() : std::string();
  if (value.size() + tail.size() > kValueBytesMax) return context.reply.Error(kTooLong);
  value.append(tail);
  if (!tail.empty() || !exists) key.Set(value, Lifetime::Keep());
  context.reply.Integer(static_cast<int64_t>(value.size()));
}

void StrLen(CommandContext& context) {
  const StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, KeyType::kString)) return;
  context.reply.Integer(static_cast<int64_t>(key.Length()));
}

void GetRange(CommandContext& context) {
  const auto first = IntegerArg(context, 2);
  if (!first) return;
  const auto last = IntegerArg(context, 3);
  if (!last) return;
  const StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, KeyType::kString)) return;
  if (!key.exists()) return context.reply.BulkString("");
  std::string scratch;
  const std::string_view value = key.Show(&scratch);
  const auto size = static_cast<int64_t>(value.size());
  if (*first < 0 && *last < 0 && *first > *last) return context.reply.BulkString("");
  const int64_t begin = std::max<int64_t>(*first < 0 ? size + *first : *first, 0);
  const int64_t end = std::min(std::max<int64_t>(*last < 0 ? size + *last : *last, 0), size - 1);
  if (begin > end || size == 0) return context.reply.BulkString("");
  context.reply.BulkString(value.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin + 1)));
}

void SetRange(CommandContext& context) {
  const auto offset = IntegerArg(context, 2);
  if (!offset) return;
  if (*offset < 0) return context.reply.Error("ERR offset is out of range");
  StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, KeyType::kString)) return;
  const std::string_view patch = context.arg(3);
  if (patch.empty()) return context.reply.Integer(static_cast<int64_t>(key.Length()));
  if (static_cast<uint64_t>(*offset) + patch.size() > kValueBytesMax) return context.reply.Error(kTooLong);
  std::string value = key.exists() ? key.Value() : std::string();
  const auto begin = static_cast<size_t>(*offset);
  if (value.size() < begin + patch.size()) value.resize(begin + patch.size());
  value.replace(begin, patch.size(), patch);
  key.Set(value, Lifetime::Keep());
  context.reply.Integer(static_cast<int64_t>(value.size()));
}

void IncrementBy(CommandContext& context, int64_t delta) {
  StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, KeyType::kString)) return;
  const std::optional<int64_t> value = key.AsInteger();
  if (!value) return context.reply.Error(kNotInteger);
  int64_t sum = 0;
  if (__builtin_add_overflow(*value, delta, &sum)) return context.reply.Error(kOverflow);
  key.Increment(delta);
  context.reply.Integer(sum);
}
void Incr(CommandContext& context) {
  IncrementBy(context, 1);
}
void Decr(CommandContext& context) {
  IncrementBy(context, -1);
}
void IncrBy(CommandContext& context) {
  if (const auto delta = IntegerArg(context, 2)) IncrementBy(context, *delta);
}
void DecrBy(CommandContext& context) {
  const auto delta = IntegerArg(context, 2);
  if (!delta) return;
  if (*delta == INT64_MIN) return context.reply.Error("ERR decrement would overflow");
  IncrementBy(context, -*delta);
}

void IncrByFloat(CommandContext& context) {
  StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, KeyType::kString)) return;
  const auto value = key.exists() ? ParseLongDouble(key.Value()) : std::optional<long double>(0);
  const auto delta = ParseLongDouble(context.arg(2));
  if (!value || !delta) return context.reply.Error("ERR value is not a valid float");
  const long double sum = *value + *delta;
  if (std::isnan(sum) || std::isinf(sum)) {
    return context.reply.Error("ERR increment would produce NaN or Infinity");
  }
  const std::string text = LongDoubleToText(sum);
  key.Set(text, Lifetime::Keep());
  context.reply.BulkString(text);
}

void MGet(CommandContext& context) {
  context.reply.Array(context.argc() - 1);
  for (size_t i = 1; i < context.argc(); ++i) {
    const StringKey key = KeyAt(context, i);
    Finds(context, key) ? ReplyValue(context, key) : context.reply.Null();
  }
}

bool PairsAreWhole(CommandContext& context, std::string_view name) {
  if (context.argc() % 2 == 1) return true;
  context.reply.Error("ERR wrong number of arguments for '" + std::string(name) + "' command");
  return false;
}

void SetPairs(CommandContext& context) {
  for (size_t i = 1; i < context.argc(); i += 2)
    KeyAt(context, i).Set(context.arg(i + 1), Lifetime::Forever());
}

void MSet(CommandContext& context) {
  if (!PairsAreWhole(context, "mset")) return;
  SetPairs(context);
  context.reply.Ok();
}

void MSetNx(CommandContext& context) {
  if (!PairsAreWhole(context, "msetnx")) return;
  for (size_t i = 1; i < context.argc(); i += 2) {
    if (KeyAt(context, i).exists()) return context.reply.Integer(0);
  }
  SetPairs(context);
  context.reply.Integer(1);
}

constexpr uint32_t kGrow = kWrite | kDenyOom;
constexpr KeyRange kPairs{1, -1, 2};

constexpr CommandSpec kSpecs[] = {
    Keyed("append", 3, kGrow | kFast, kFirstKey, Append, "string", "2.0.0", "O(N) with N bytes of the value",
          "Adds to the end of a value"),
    Keyed("decr", 2, kGrow | kFast, kFirstKey, Decr, "string", "1.0.0", "O(1)", "Counts down by one"),
    Keyed("decrby", 3, kGrow | kFast, kFirstKey, DecrBy, "string", "1.0.0", "O(1)", "Counts down"),
    Keyed("get", 2, kReadonly | kFast, kFirstKey, Get, "string", "1.0.0", "O(1)", "The value of a key"),
    LooksUp(Keyed("getdel", 2, kWrite | kFast, kFirstKey, GetDel, "string", "6.2.0", "O(1)",
                  "The value of a key, which goes")),
    LooksUp(Keyed("getex", -2, kWrite | kFast, kFirstKey, GetEx, "string", "6.2.0", "O(1)",
                  "The value of a key, whose end is set")),
    Keyed("getrange", 4, kReadonly, kFirstKey, GetRange, "string", "2.4.0", "O(N) with N bytes returned",
          "A part of a value"),
    LooksUp(Keyed("getset", 3, kGrow | kFast, kFirstKey, GetSet, "string", "1.0.0", "O(1)",
                  "Sets a value and returns the old one")),
    Keyed("incr", 2, kGrow | kFast, kFirstKey, Incr, "string", "1.0.0", "O(1)", "Counts up by one"),
    Keyed("incrby", 3, kGrow | kFast, kFirstKey, IncrBy, "string", "1.0.0", "O(1)", "Counts up"),
    Keyed("incrbyfloat", 3, kGrow | kFast, kFirstKey, IncrByFloat, "string", "2.6.0", "O(1)",
          "Adds a number with a fraction"),
    With(Keyed("mget", -2, kReadonly | kFast, kAllKeys, MGet, "string", "1.0.0", "O(N) with N keys",
               "The values of several keys"),
         Spread::kEach),
    Blind(With(
        Keyed("mset", -3, kGrow, kPairs, MSet, "string", "1.0.1", "O(N) with N keys", "Sets several keys"),
        Spread::kAllOk)),
    With(Keyed("msetnx", -3, kGrow, kPairs, MSetNx, "string", "1.0.1", "O(N) with N keys",
               "Sets several keys if none of them exists"),
         Spread::kAllOk),
    Blind(Keyed("psetex", 4, kGrow, kFirstKey, PSetEx, "string", "2.6.0", "O(1)",
                "Sets a value and its end in milliseconds")),
    // With GET it does.
    LooksUp(Blind(Keyed("set", -3, kGrow, kFirstKey, Set, "string", "1.0.0", "O(1)", "Sets a value"))),
    Blind(Keyed("setex", 4, kGrow, kFirstKey, SetEx, "string", "2.0.0", "O(1)",
                "Sets a value and its end in seconds")),
    Keyed("setnx", 3, kGrow | kFast, kFirstKey, SetNx, "string", "1.0.0", "O(1)",
          "Sets a value if there is none"),
    Keyed("setrange", 4, kGrow, kFirstKey, SetRange, "string", "2.2.0", "O(N) with N bytes of the value",
          "Overwrites a part of a value"),
    Keyed("strlen", 2, kReadonly | kFast, kFirstKey, StrLen, "string", "2.2.0", "O(1)",
          "The length of a value"),
    Keyed("substr", 4, kReadonly, kFirstKey, GetRange, "string", "1.0.0", "O(N) with N bytes returned",
          "A part of a value; the older name of GETRANGE"),
};

}  // namespace

std::span<const CommandSpec> StringCommands() {
  return kSpecs;
}

// SET reads if it depends on what is there.
bool SetDependsOnValue(const replication::Arguments& args) {
  for (size_t i = 3; i < args.size(); ++i) {
    if (Is(args[i], "nx") || Is(args[i], "xx") || Is(args[i], "get") || Is(args[i], "keepttl")) return true;
  }
  return false;
}

}  // namespace orrery::commands

// https://redis.io/commands/?group=hash

#include <cmath>
#include <string>
#include <vector>

#include "commands/collection_support.h"
#include "commands/command_families.h"
#include "commands/handler_support.h"
#include "orrery/types/element.h"
#include "orrery/types/hash_type.h"

namespace orrery::commands {
namespace {

using types::HashKey;
using types::KeyType;

HashKey HashAt(CommandContext& context) { return HashKey(&context.transaction, context.db(), context.arg(1)); }

bool IsHash(CommandContext& context, const HashKey& key) { return TypeFits(context, key, KeyType::kHash); }

void ReplyField(CommandContext& context, const HashKey& key, std::string_view field) {
  const causality::Row* row = key.Find(field);
  if (row == nullptr) return context.reply.Null();
  std::string scratch;
  context.reply.BulkString(types::ShowValue(*row, &scratch));
}

// ---- writing ----

// How many fields are new; nullopt: an error was replied.
std::optional<int64_t> SetFields(CommandContext& context, std::string_view name) {
  if (context.argc() % 2 == 1) {
    context.reply.Error(WrongArityText(name));
    return std::nullopt;
  }
  HashKey key = HashAt(context);
  if (!IsHash(context, key)) return std::nullopt;
  int64_t created = 0;
  for (size_t i = 2; i < context.argc(); i += 2) created += key.Set(context.arg(i), context.arg(i + 1)) ? 1 : 0;
  return created;
}
void HSet(CommandContext& context) {
  if (const auto created = SetFields(context, "hset")) context.reply.Integer(*created);
}
void HMSet(CommandContext& context) {
  if (SetFields(context, "hmset")) context.reply.Ok();
}

void HSetNx(CommandContext& context) {
  HashKey key = HashAt(context);
  if (!IsHash(context, key)) return;
  const bool absent = !key.Contains(context.arg(2));
  if (absent) key.Set(context.arg(2), context.arg(3));
  context.reply.Integer(absent ? 1 : 0);
}

void HDel(CommandContext& context) {
  HashKey key = HashAt(context);
  if (!IsHash(context, key)) return;
  int64_t removed = 0;
  for (size_t i = 2; i < context.argc(); ++i) removed += key.Erase(context.arg(i)) ? 1 : 0;
  context.reply.Integer(removed);
}

void HIncrBy(CommandContext& context) {
  const auto delta = IntegerArg(context, 3);
  if (!delta) return;
  HashKey key = HashAt(context);
  if (!IsHash(context, key)) return;
  int64_t value = 0, sum = 0;
  if (!key.GetInteger(context.arg(2), &value)) return context.reply.Error("ERR hash value is not an integer");
  if (__builtin_add_overflow(value, *delta, &sum)) return context.reply.Error(kOverflow);
  key.Increment(context.arg(2), *delta);
  context.reply.Integer(sum);
}

void HIncrByFloat(CommandContext& context) {
  const auto delta = ParseLongDouble(context.arg(3));
  if (!delta) return context.reply.Error("ERR value is not a valid float");
  if (std::isnan(*delta) || std::isinf(*delta)) return context.reply.Error("ERR value is NaN or Infinity");
  HashKey key = HashAt(context);
  if (!IsHash(context, key)) return;
  const auto shown = key.Get(context.arg(2));
  const auto value = shown ? ParseLongDouble(*shown) : std::optional<long double>(0);
  if (!value) return context.reply.Error("ERR hash value is not a float");
  const long double sum = *value + *delta;
  if (std::isnan(sum) || std::isinf(sum)) {
    return context.reply.Error("ERR increment would produce NaN or Infinity");
  }
  const std::string text = LongDoubleToText(sum);
  key.Set(context.arg(2), text);
  context.reply.BulkString(text);
}

// ---- reading ----

void HGet(CommandContext& context) {
  const HashKey key = HashAt(context);
  if (IsHash(context, key)) ReplyField(context, key, context.arg(2));
}

void HMGet(CommandContext& context) {
  const HashKey key = HashAt(context);
  if (!IsHash(context, key)) return;
  context.reply.Array(context.argc() - 2);
  for (size_t i = 2; i < context.argc(); ++i) ReplyField(context, key, context.arg(i));
}

void HGetAll(CommandContext& context) {
  const HashKey key = HashAt(context);
  if (!IsHash(context, key)) return;
  context.reply.Map(key.Count());
  key.VisitFields([&](std::string_view field, std::string_view value) {
    context.reply.BulkString(field);
    context.reply.BulkString(value);
    return true;
  });
}

enum class Half : uint8_t { kFields, kValues };

void ReplyHalf(CommandContext& context, Half half) {
  const HashKey key = HashAt(context);
  if (!IsHash(context, key)) return;
  context.reply.Array(key.Count());
  key.VisitFields([&](std::string_view field, std::string_view value) {
    context.reply.BulkString(half == Half::kFields ? field : value);
    return true;
  });
}
void HKeys(CommandContext& context) { ReplyHalf(context, Half::kFields); }
void HVals(CommandContext& context) { ReplyHalf(context, Half::kValues); }

void HExists(CommandContext& context) {
  const HashKey key = HashAt(context);
  if (IsHash(context, key)) context.reply.Integer(key.Contains(context.arg(2)) ? 1 : 0);
}

void HLen(CommandContext& context) {
  const HashKey key = HashAt(context);
  if (IsHash(context, key)) context.reply.Integer(static_cast<int64_t>(key.Count()));
}

void HStrLen(CommandContext& context) {
  const HashKey key = HashAt(context);
  if (!IsHash(context, key)) return;
  const auto value = key.Get(context.arg(2));
  context.reply.Integer(value ? static_cast<int64_t>(value->size()) : 0);
}

// HRANDFIELD key [count [WITHVALUES]]
void HRandField(CommandContext& context) {
  if (context.argc() == 2) {
    const HashKey key = HashAt(context);
    if (!IsHash(context, key)) return;
    const std::vector<std::string> one = SampleOf(context, key, 1);
    return one.empty() ? context.reply.Null() : context.reply.BulkString(one[0]);
  }
  const bool with_values = context.argc() > 3;
  const auto count = SampleCountArg(context, 2, false);
  if (!count) return;
  if (context.argc() > 4 || (with_values && !Is(context.arg(3), "withvalues"))) {
    return context.reply.Error(kSyntaxError);
  }
  if (!SampleCountArg(context, 2, with_values)) return;
  const HashKey key = HashAt(context);
  if (!IsHash(context, key)) return;
  const auto value_bytes = [&](std::string_view field) { return with_values ? key.Get(field)->size() : 0; };
  const auto chosen = SampleToReply(context, key, *count, value_bytes);
  if (!chosen) return;
  const std::vector<std::string>& fields = *chosen;
  const bool pairs = with_values && context.reply.resp3();
  context.reply.Array(with_values && !pairs ? 2 * fields.size() : fields.size());
  for (const std::string& field : fields) {
    if (pairs) context.reply.Array(2);
    context.reply.BulkString(field);
    if (with_values) ReplyField(context, key, field);
  }
}

void HScan(CommandContext& context) {
  ReplyScan(context, HashAt(context), 2,
            [](resp::ReplyWriter& reply, std::string_view field, const causality::Row& row) {
              std::string scratch;
              reply.BulkString(field);
              reply.BulkString(types::ShowValue(row, &scratch));
            });
}

constexpr uint32_t kGrow = kWrite | kDenyOom | kFast;

constexpr CommandSpec HashSpec(std::string_view name, int arity, uint32_t flags, Handler handler,
                               std::string_view since, std::string_view complexity, std::string_view summary) {
  return Keyed(name, arity, flags, kFirstKey, handler, "hash", since, complexity, summary);
}

constexpr CommandSpec kSpecs[] = {
    HashSpec("hdel", -3, kWrite | kFast, HDel, "2.0.0", "O(N) with N fields given", "Removes fields"),
    HashSpec("hexists", 3, kReadonly | kFast, HExists, "2.0.0", "O(1)", "Whether a field is there"),
    HashSpec("hget", 3, kReadonly | kFast, HGet, "2.0.0", "O(1)", "The value of a field"),
    HashSpec("hgetall", 2, kReadonly, HGetAll, "2.0.0", "O(N) with N fields", "All fields and their values"),
    HashSpec("hincrby", 4, kGrow, HIncrBy, "2.0.0", "O(1)", "Counts a field up"),
    HashSpec("hincrbyfloat", 4, kGrow, HIncrByFloat, "2.6.0", "O(1)", "Adds a number with a fraction to a field"),
    HashSpec("hkeys", 2, kReadonly, HKeys, "2.0.0", "O(N) with N fields", "All fields"),
    HashSpec("hlen", 2, kReadonly | kFast, HLen, "2.0.0", "O(1)", "How many fields there are"),
    HashSpec("hmget", -3, kReadonly | kFast, HMGet, "2.0.0", "O(N) with N fields given", "The values of fields"),
    HashSpec("hmset", -4, kGrow, HMSet, "2.0.0", "O(N) with N fields given", "Sets fields"),
    HashSpec("hrandfield", -2, kReadonly, HRandField, "6.2.0", "O(N) with N fields returned",
             "Fields chosen by chance"),
    HashSpec("hscan", -3, kReadonly, HScan, "2.8.0", "O(1) for a call, O(N) for all N fields",
             "Some of the fields, and where to go on"),
    HashSpec("hset", -4, kGrow, HSet, "2.0.0", "O(N) with N fields given", "Sets fields"),
    HashSpec("hsetnx", 4, kGrow, HSetNx, "2.0.0", "O(1)", "Sets a field if it is absent"),
    HashSpec("hstrlen", 3, kReadonly | kFast, HStrLen, "3.2.0", "O(1)", "The length of a field's value"),
    HashSpec("hvals", 2, kReadonly, HVals, "2.0.0", "O(N) with N fields", "All values"),
};

}  // namespace

std::span<const CommandSpec> HashCommands() { return kSpecs; }

}  // namespace orrery::commands

// https://redis.io/commands/?group=generic: keys of whatever type.

#include <string>
#include <vector>

#include "commands/command_families.h"
#include "commands/handler_support.h"
#include "commands/key_commands.h"
#include "commands/object_encoding.h"
#include "commands/spec_builder.h"
#include "orrery/storage/row_key.h"

namespace orrery::commands {
namespace {

using types::KeyType;
using types::KeyView;
using types::Lifetime;
using types::StringKey;

void Del(CommandContext& context) {
  int64_t removed = 0;
  for (size_t i = 1; i < context.argc(); ++i) {
    KeyView key = AnyKeyAt(context, i);
    removed += key.exists() ? 1 : 0;
    key.Remove();
  }
  context.reply.Integer(removed);
}

void Exists(CommandContext& context) {
  int64_t found = 0;
  for (size_t i = 1; i < context.argc(); ++i) found += Finds(context, AnyKeyAt(context, i)) ? 1 : 0;
  context.reply.Integer(found);
}

void Type(CommandContext& context) {
  const KeyView key = AnyKeyAt(context, 1);
  context.reply.SimpleString(Finds(context, key) ? types::TypeName(key.type())
                                                 : types::TypeName(KeyType::kNone));
}

// ---- ends ----

struct ExpireCondition {
  bool nx = false, xx = false, gt = false, lt = false;
};

bool ParseExpireCondition(CommandContext& context, ExpireCondition* condition) {
  for (size_t i = 3; i < context.argc(); ++i) {
    const std::string_view option = context.arg(i);
    if (Is(option, "nx")) {
      condition->nx = true;
    } else if (Is(option, "xx")) {
      condition->xx = true;
    } else if (Is(option, "gt")) {
      condition->gt = true;
    } else if (Is(option, "lt")) {
      condition->lt = true;
    } else {
      // Redis prints it as a C string.
      context.reply.Error("ERR Unsupported option " + std::string(option.substr(0, option.find('\0'))));
      return false;
    }
  }
  if (condition->nx && (condition->xx || condition->gt || condition->lt)) {
    context.reply.Error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if (condition->gt && condition->lt) {
    context.reply.Error("ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

// A key without an end counts as one that never comes.
bool Meets(const ExpireCondition& condition, std::optional<uint64_t> current, int64_t moment) {
  if (condition.nx && current) return false;
  if (condition.xx && !current) return false;
  if (condition.gt && (!current || moment <= static_cast<int64_t>(*current))) return false;
  return !(condition.lt && current && moment >= static_cast<int64_t>(*current));
}

void Expire(CommandContext& context, TimeUnit unit, TimeBase base, std::string_view name) {
  ExpireCondition condition;
  if (!ParseExpireCondition(context, &condition)) return;
  const auto number = IntegerArg(context, 2);
  if (!number) return;
  const auto moment = MomentOf(*number, unit, base, context.transaction.now_ms());
  if (!moment) return context.reply.Error("ERR invalid expire time in '" + std::string(name) + "' command");
  KeyView key = AnyKeyAt(context, 1);
  if (!key.exists() || !Meets(condition, key.deadline(), *moment)) return context.reply.Integer(0);
  if (*moment <= static_cast<int64_t>(context.transaction.now_ms())) {
    key.Remove();
  } else {
    key.ExpireAt(static_cast<uint64_t>(*moment));
  }
  context.reply.Integer(1);
}
void ExpireIn(CommandContext& context) {
  Expire(context, TimeUnit::kSeconds, TimeBase::kRelative, "expire");
}
void PExpireIn(CommandContext& context) {
  Expire(context, TimeUnit::kMilliseconds, TimeBase::kRelative, "pexpire");
}
void ExpireAt(CommandContext& context) {
  Expire(context, TimeUnit::kSeconds, TimeBase::kAbsolute, "expireat");
}
void PExpireAt(CommandContext& context) {
  Expire(context, TimeUnit::kMilliseconds, TimeBase::kAbsolute, "pexpireat");
}

void ReplyEnd(CommandContext& context, TimeUnit unit, TimeBase base) {
  const KeyView key = AnyKeyAt(context, 1);
  if (!Finds(context, key)) return context.reply.Integer(-2);
  const auto deadline = key.deadline();
  if (!deadline) return context.reply.Integer(-1);
  const uint64_t ms = *deadline - (base == TimeBase::kRelative ? context.transaction.now_ms() : 0);
  // To the nearest second.
  context.reply.Integer(static_cast<int64_t>(unit == TimeUnit::kSeconds ? (ms + 500) / 1000 : ms));
}
void Ttl(CommandContext& context) {
  ReplyEnd(context, TimeUnit::kSeconds, TimeBase::kRelative);
}
void PTtl(CommandContext& context) {
  ReplyEnd(context, TimeUnit::kMilliseconds, TimeBase::kRelative);
}
void ExpireTime(CommandContext& context) {
  ReplyEnd(context, TimeUnit::kSeconds, TimeBase::kAbsolute);
}
void PExpireTime(CommandContext& context) {
  ReplyEnd(context, TimeUnit::kMilliseconds, TimeBase::kAbsolute);
}

void Persist(CommandContext& context) {
  KeyView key = AnyKeyAt(context, 1);
  const bool had_end = key.deadline().has_value();
  if (had_end) key.Persist();
  context.reply.Integer(had_end ? 1 : 0);
}

// ---- moving ----

// What shows under the one key, under the other one in place of whatever that holds.
void CopyValue(const StringKey& from, StringKey* to) {
  const auto deadline = from.deadline();
  if (from.type() == KeyType::kString) {
    return to->Set(from.Value(), deadline ? Lifetime::Until(*deadline) : Lifetime::Forever());
  }
  to->Remove();
  to->CopyElementsOf(from);
}

// A source of another slot came with the request, read-only; the entry node removes it afterwards.
bool IsHere(CommandContext& context, size_t arg) {
  return SlotOf(context.arg(arg)) == context.request.slot;
}

void Move(CommandContext& context, bool only_if_absent) {
  StringKey from = KeyAt(context, 1);
  if (!from.exists()) return context.reply.Error(kNoSuchKey);
  const bool same = context.arg(1) == context.arg(2);
  StringKey to = KeyAt(context, 2);
  if (only_if_absent && (same || to.exists())) return context.reply.Integer(0);
  if (!same) {
    CopyValue(from, &to);
    if (IsHere(context, 1)) from.Remove();
  }
  only_if_absent ? context.reply.Integer(1) : context.reply.Ok();
}
void Rename(CommandContext& context) {
  Move(context, false);
}
void RenameNx(CommandContext& context) {
  Move(context, true);
}

bool DatabaseArg(CommandContext& context, size_t arg, uint8_t* db) {
  constexpr int64_t kDatabases = 16;
  const auto number = ParseInteger(context.arg(arg));
  if (!number) {
    context.reply.Error("ERR value is not an integer or out of range");
    return false;
  }
  if (*number < 0 || *number >= kDatabases) {
    context.reply.Error("ERR DB index is out of range");
    return false;
  }
  *db = static_cast<uint8_t>(*number);
  return true;
}

void Copy(CommandContext& context) {
  uint8_t db = context.db();
  bool replace = false;
  for (size_t i = 3; i < context.argc(); ++i) {
    if (Is(context.arg(i), "replace")) {
      replace = true;
    } else if (Is(context.arg(i), "db") && i + 1 < context.argc()) {
      if (!DatabaseArg(context, ++i, &db)) return;
    } else {
      return context.reply.Error(kSyntaxError);
    }
  }
  const StringKey from = KeyAt(context, 1);
  if (db == context.db() && context.arg(1) == context.arg(2)) {
    return context.reply.Error("ERR source and destination objects are the same");
  }
  StringKey to(&context.transaction, db, context.arg(2));
  if (!Finds(context, from) || (to.exists() && !replace)) return context.reply.Integer(0);
  CopyValue(from, &to);
  context.reply.Integer(1);
}

void MoveDatabase(CommandContext& context) {
  uint8_t db = 0;
  if (!DatabaseArg(context, 2, &db)) return;
  if (db == context.db()) return context.reply.Error("ERR source and destination objects are the same");
  StringKey from = KeyAt(context, 1);
  StringKey to(&context.transaction, db, context.arg(1));
  if (!from.exists() || to.exists()) return context.reply.Integer(0);
  CopyValue(from, &to);
  from.Remove();
  context.reply.Integer(1);
}

// ---- introspection ----

// The entry node may add its limits.
void ObjectEncoding(CommandContext& context) {
  const StringKey key = KeyAt(context, 2);
  if (!Finds(context, key)) return context.reply.Null();
  const auto limits = context.argc() > 3 ? ParseEncodingLimits(context.arg(3)) : EncodingLimits();
  if (!limits) return context.reply.Error("ERR malformed limits");
  context.reply.BulkString(EncodingOf(context, key, context.arg(2), *limits));
}

void ObjectNumber(CommandContext& context, int64_t number) {
  Finds(context, AnyKeyAt(context, 2)) ? context.reply.Integer(number) : context.reply.Null();
}
void ObjectRefCount(CommandContext& context) {
  ObjectNumber(context, 1);
}
void ObjectIdleTime(CommandContext& context) {
  ObjectNumber(context, 0);
}

void ObjectFreq(CommandContext& context) {
  if (!Finds(context, AnyKeyAt(context, 2))) return context.reply.Null();
  context.reply.Error(
      "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when "
      "switching "
      "between policies at runtime LRU and LFU data will take some time to adjust.");
}

constexpr KeyRange kTwoKeys{1, 2, 1};
constexpr KeyRange kSecondKey{2, 2, 1};

constexpr CommandSpec ExpireSpec(std::string_view name, Handler handler, std::string_view since,
                                 std::string_view summary) {
  return Keyed(name, -3, kWrite | kFast, kFirstKey, handler, "generic", since, "O(1)", summary);
}
constexpr CommandSpec ReadSpec(std::string_view name, Handler handler, std::string_view since,
                               std::string_view summary) {
  return Keyed(name, 2, kReadonly | kFast, kFirstKey, handler, "generic", since, "O(1)", summary);
}

constexpr CommandSpec ObjectSpec(std::string_view name, Handler handler, std::string_view since,
                                 std::string_view summary) {
  return Keyed(name, 3, kReadonly, kSecondKey, handler, "generic", since, "O(1)", summary);
}
constexpr CommandSpec kObjectSpecs[] = {
    ObjectSpec("encoding", ObjectEncoding, "2.2.3", "How Redis would store the value"),
    ObjectSpec("freq", ObjectFreq, "4.0.0", "How often a key is used"),
    NodeCommand("help", 2, kAnytime, "generic", "6.2.0", "O(1)", "Lists the subcommands of OBJECT"),
    ObjectSpec("idletime", ObjectIdleTime, "2.2.3", "How long a key was not used"),
    ObjectSpec("refcount", ObjectRefCount, "2.2.3", "How many references a value has"),
};

constexpr CommandSpec kSpecs[] = {
    LooksUp(With(Keyed("copy", -3, kWrite | kDenyOom, kTwoKeys, Copy, "generic", "6.2.0",
                       "O(N) with N bytes of the value", "Copies a key"),
                 Spread::kGather)),
    With(Keyed("del", -2, kWrite, kAllKeys, Del, "generic", "1.0.0", "O(N) with N keys", "Removes keys"),
         Spread::kSum),
    With(Keyed("exists", -2, kReadonly | kFast, kAllKeys, Exists, "generic", "1.0.0", "O(N) with N keys",
               "How many of the keys there are"),
         Spread::kSum),
    ExpireSpec("expire", ExpireIn, "1.0.0", "Sets a key's end, in seconds from now"),
    ExpireSpec("expireat", ExpireAt, "1.2.0", "Sets a key's end, as a time in seconds"),
    ReadSpec("expiretime", ExpireTime, "7.0.0", "A key's end, as a time in seconds"),
    Keyed("move", 3, kWrite | kFast, kFirstKey, MoveDatabase, "generic", "1.0.0", "O(1)",
          "Moves a key to another database"),
    Keyed("persist", 2, kWrite | kFast, kFirstKey, Persist, "generic", "2.2.0", "O(1)",
          "Takes a key's end away"),
    Container("object", "generic", "2.2.3", "How a key is stored", kObjectSpecs),
    ExpireSpec("pexpire", PExpireIn, "2.6.0", "Sets a key's end, in milliseconds from now"),
    ExpireSpec("pexpireat", PExpireAt, "2.6.0", "Sets a key's end, as a time in milliseconds"),
    ReadSpec("pexpiretime", PExpireTime, "7.0.0", "A key's end, as a time in milliseconds"),
    ReadSpec("pttl", PTtl, "2.6.0", "What is left of a key's time, in milliseconds"),
    With(Keyed("rename", 3, kWrite, kTwoKeys, Rename, "generic", "1.0.0", "O(N) with N bytes of the value",
               "Gives a key another name"),
         Spread::kGather),
    With(Keyed("renamenx", 3, kWrite | kFast, kTwoKeys, RenameNx, "generic", "1.0.0",
               "O(N) with N bytes of the value", "Gives a key another name if that is free"),
         Spread::kGather),
    With(Keyed("touch", -2, kReadonly | kFast, kAllKeys, Exists, "generic", "3.2.1", "O(N) with N keys",
               "How many of the keys there are"),
         Spread::kSum),
    ReadSpec("ttl", Ttl, "1.0.0", "What is left of a key's time, in seconds"),
    ReadSpec("type", Type, "1.0.0", "What kind of value a key holds"),
    With(Keyed("unlink", -2, kWrite | kFast, kAllKeys, Del, "generic", "4.0.0", "O(N) with N keys",
               "Removes keys"),
         Spread::kSum),
};

}  // namespace

std::span<const CommandSpec> KeyCommands() {
  return kSpecs;
}

void MemoryUsage(CommandContext& context) {
  if (context.argc() != 3 && !(context.argc() == 5 && Is(context.arg(3), "samples"))) {
    return context.reply.Error(kSyntaxError);
  }
  if (context.argc() == 5) {
    const auto samples = IntegerArg(context, 4);
    if (!samples) return;
    if (*samples < 0) return context.reply.Error(kSyntaxError);
  }
  const KeyView key = AnyKeyAt(context, 2);
  if (!key.exists()) return context.reply.Null();
  context.reply.Integer(static_cast<int64_t>(key.StoredBytes()));
}

}  // namespace orrery::commands

// https://redis.io/commands/dump/ and restore. The format is in types/dump.h.

#include <string>

#include "commands/command_families.h"
#include "commands/dump_commands.h"
#include "commands/handler_support.h"
#include "orrery/types/dump.h"
#include "orrery/types/element.h"
#include "orrery/types/hash_type.h"
#include "orrery/types/list_type.h"
#include "orrery/types/set_type.h"
#include "orrery/types/zset_type.h"

namespace orrery::commands {
namespace {

using types::CollectionKey;
using types::DumpValue;
using types::KeyType;
using types::Lifetime;
using types::StringKey;

constexpr std::string_view kBusyKey = "BUSYKEY Target key name already exists.";
constexpr std::string_view kUnsound = "ERR DUMP payload version or checksum are wrong";
constexpr std::string_view kBadFormat = "ERR Bad data format";

std::vector<types::ScoredMember> ScoredOf(CommandContext& context, std::string_view name) {
  const types::ZsetKey zset(&context.transaction, context.db(), name);
  return zset.Slice({0, zset.Count()}, false);
}

// Members; values of a list; fields and values of a hash.
std::vector<std::string> ElementsOf(const CollectionKey& key) {
  std::vector<std::string> elements;
  key.Visit({}, [&](std::string_view element, const causality::Row& row) {
    std::string scratch;
    if (key.own_type() != KeyType::kList) elements.emplace_back(element);
    if (key.own_type() != KeyType::kSet) elements.emplace_back(types::ShowValue(row, &scratch));
    return true;
  });
  return elements;
}

void Dump(CommandContext& context) {
  const StringKey key = KeyAt(context, 1);
  if (!Finds(context, key)) return context.reply.Null();
  context.reply.BulkString(types::WriteDump(DumpValueOf(context, key, context.arg(1))));
}

struct RestoreOptions {
  bool replace = false;
  bool absolute = false;
  bool has_idle_time = false;
  bool has_frequency = false;
};

// What is said of the use of a key is checked and not kept: nothing here is evicted by it. False: an error
// was replied.
bool UseArg(CommandContext& context, size_t arg, int64_t max, std::string_view error) {
  const auto number = IntegerArg(context, arg);
  if (!number) return false;
  if (*number >= 0 && *number <= max) return true;
  context.reply.Error(error);
  return false;
}

bool ParseRestoreOptions(CommandContext& context, RestoreOptions* options) {
  for (size_t i = 4; i < context.argc(); ++i) {
    const bool has_value = i + 1 < context.argc();
    if (Is(context.arg(i), "replace")) {
      options->replace = true;
    } else if (Is(context.arg(i), "absttl")) {
      options->absolute = true;
    } else if (Is(context.arg(i), "idletime") && has_value && !options->has_frequency) {
      options->has_idle_time = true;
      if (!UseArg(context, ++i, INT64_MAX, "ERR Invalid IDLETIME value, must be >= 0")) return false;
    } else if (Is(context.arg(i), "freq") && has_value && !options->has_idle_time) {
      options->has_frequency = true;
      if (!UseArg(context, ++i, 255, "ERR Invalid FREQ value, must be >= 0 and <= 255")) return false;
    } else {
      return context.reply.Error(kSyntaxError), false;
    }
  }
  return true;
}

// In place of what the key holds.
void Write(CommandContext& context, DumpValue value, const Lifetime& lifetime) {
  StringKey key = KeyAt(context, 1);
  if (value.type == KeyType::kString) return key.Set(value.text, lifetime);
  key.Remove();
  storage::Transaction* transaction = &context.transaction;
  types::HashKey hash(transaction, context.db(), context.arg(1));
  types::SetKey set(transaction, context.db(), context.arg(1));
  types::ZsetKey zset(transaction, context.db(), context.arg(1));
  for (size_t i = 0; i < value.elements.size(); ++i) {
    if (value.type == KeyType::kSet) set.Insert(value.elements[i]);
    if (value.type == KeyType::kHash && i % 2 == 1) hash.Set(value.elements[i - 1], value.elements[i]);
  }
  if (value.type == KeyType::kList) {
    types::ListKey(transaction, context.db(), context.arg(1))
        .Push(types::ListKey::End::kTail,
              std::vector<std::string_view>(value.elements.begin(), value.elements.end()));
  }
  for (const types::ScoredMember& scored : value.scored) zset.Set(scored.member, scored.score);
  if (lifetime.kind == Lifetime::Kind::kUntil) AnyKeyAt(context, 1).ExpireAt(lifetime.deadline_ms);
}

// RESTORE key ttl dump [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]
void Restore(CommandContext& context) {
  RestoreOptions options;
  if (!ParseRestoreOptions(context, &options)) return;
  if (!options.replace && AnyKeyAt(context, 1).exists()) return context.reply.Error(kBusyKey);
  const auto ttl = IntegerArg(context, 2);
  if (!ttl) return;
  if (*ttl < 0) return context.reply.Error("ERR Invalid TTL value, must be >= 0");
  if (!types::DumpIsSound(context.arg(3))) return context.reply.Error(kUnsound);
  auto value = types::ReadDump(context.arg(3));
  if (!value) return context.reply.Error(kBadFormat);
  const uint64_t now_ms = context.transaction.now_ms();
  const uint64_t deadline_ms = static_cast<uint64_t>(*ttl) + (options.absolute ? 0 : now_ms);
  if (*ttl > 0 && deadline_ms <= now_ms) {
    AnyKeyAt(context, 1).Remove();
  } else {
    Write(context, std::move(*value), *ttl > 0 ? Lifetime::Until(deadline_ms) : Lifetime::Forever());
  }
  context.reply.Ok();
}

constexpr CommandSpec RestoreSpec(std::string_view name, uint32_t more_flags, std::string_view group,
                                  std::string_view since, std::string_view summary) {
  return Keyed(name, -4, kWrite | kDenyOom | more_flags, kFirstKey, Restore, group, since,
               "O(N) with N bytes of the value", summary);
}
constexpr CommandSpec kSpecs[] = {
    Keyed("dump", 2, kReadonly, kFirstKey, Dump, "generic", "2.6.0", "O(N) with N bytes of the value",
          "A value as bytes that RESTORE takes, here and in Redis"),
    RestoreSpec("restore", 0, "generic", "2.6.0", "Makes a key of what DUMP gave, here or in Redis"),
    RestoreSpec("restore-asking", kAsking, "server", "3.0.0", "RESTORE, as nodes of a Redis Cluster send it"),
};

}  // namespace

types::DumpValue DumpValueOf(CommandContext& context, const StringKey& key, std::string_view name) {
  DumpValue value;
  value.type = key.type();
  if (value.type == KeyType::kString) {
    value.text = key.Value();
  } else if (value.type == KeyType::kZset) {
    value.scored = ScoredOf(context, name);
  } else {
    value.elements = ElementsOf(CollectionKey(&context.transaction, context.db(), name, value.type));
  }
  return value;
}

std::span<const CommandSpec> DumpCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

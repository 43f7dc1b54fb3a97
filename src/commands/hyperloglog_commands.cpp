// https://redis.io/commands/?group=hyperloglog. A key of this kind is a string; concurrent writes of it leave
// siblings, which the commands here join register by register, where other commands show the newest one.

#include <string>
#include <vector>

#include "commands/command_families.h"
#include "commands/handler_support.h"
#include "orrery/base/marks.h"
#include "orrery/types/hyperloglog.h"

namespace orrery::commands {
namespace {

using types::HyperLogLog;
using types::KeyType;
using types::Lifetime;
using types::StringKey;

constexpr std::string_view kNotOne = "WRONGTYPE Key is not a valid HyperLogLog string value.";
constexpr std::string_view kBroken = "INVALIDOBJ Corrupted HLL object detected";

// What all siblings of the key amount to, an empty one if it is absent; nullopt: what GET would show is none,
// the error was replied. An older sibling that is none counts nothing.
std::optional<HyperLogLog> ReadJoined(CommandContext& context, const StringKey& key) {
  if (!TypeFits(context, key, KeyType::kString)) return std::nullopt;
  std::optional<HyperLogLog> joined;
  for (const std::string& sibling : key.Siblings()) {
    const bool looks = HyperLogLog::LooksLikeOne(sibling);
    const auto parsed = looks ? HyperLogLog::Parse(sibling) : std::nullopt;
    if (!joined && !parsed) return context.reply.Error(looks ? kBroken : kNotOne), std::nullopt;
    if (!joined) {
      joined = parsed;
    } else if (parsed && !ORRERY_MUTATION("sketch-of-the-newest-sibling-alone")) {
      joined->Join(*parsed);
    }
  }
  return joined ? joined : HyperLogLog();
}

void Write(StringKey* key, const HyperLogLog& registers) {
  key->Set(registers.Text(), Lifetime::Keep());
}

void PfAdd(CommandContext& context) {
  StringKey key = KeyAt(context, 1);
  auto registers = ReadJoined(context, key);
  if (!registers) return;
  bool changed = !key.exists();
  for (size_t i = 2; i < context.argc(); ++i) changed = registers->Add(context.arg(i)) || changed;
  if (changed) Write(&key, *registers);
  context.reply.Integer(changed ? 1 : 0);
}

// Keys from `first` on, joined with `joined`; nullopt: an error was replied.
std::optional<HyperLogLog> JoinFrom(CommandContext& context, size_t first) {
  auto joined = ReadJoined(context, KeyAt(context, first));
  for (size_t i = first + 1; joined && i < context.argc(); ++i) {
    const auto registers = ReadJoined(context, KeyAt(context, i));
    if (!registers) return std::nullopt;
    joined->Join(*registers);
  }
  return joined;
}

void PfCount(CommandContext& context) {
  if (const auto joined = JoinFrom(context, 1)) context.reply.Integer(static_cast<int64_t>(joined->Count()));
}

// The target is one of the sources.
void PfMerge(CommandContext& context) {
  const auto joined = JoinFrom(context, 1);
  if (!joined) return;
  StringKey target = KeyAt(context, 1);
  Write(&target, *joined);
  context.reply.Ok();
}

// PFDEBUG subcommand key: of one sketch, for tests of clients.
void PfDebug(CommandContext& context) {
  StringKey key = KeyAt(context, 2);
  if (!key.exists()) return context.reply.Error("ERR The specified key does not exist");
  auto registers = ReadJoined(context, key);
  if (!registers) return;
  if (Is(context.arg(1), "encoding"))
    return context.reply.SimpleString(registers->is_dense() ? "dense" : "sparse");
  const bool wants_registers = Is(context.arg(1), "getreg");
  if (!wants_registers && !Is(context.arg(1), "todense")) {
    return context.reply.Error("ERR Unknown PFDEBUG subcommand '" + std::string(context.arg(1)) + "'");
  }
  const bool was_sparse = !registers->is_dense();
  registers->MakeDense();
  if (was_sparse) Write(&key, *registers);
  if (!wants_registers) return context.reply.Integer(was_sparse ? 1 : 0);
  context.reply.Array(HyperLogLog::kRegisters);
  for (size_t i = 0; i < HyperLogLog::kRegisters; ++i) context.reply.Integer(registers->at(i));
}

constexpr CommandSpec kSpecs[] = {
    Keyed("pfadd", -2, kWrite | kDenyOom | kFast, kFirstKey, PfAdd, "hyperloglog", "2.8.9",
          "O(1) for each element", "Counts elements in, each once"),
    With(Keyed("pfcount", -2, kReadonly, kAllKeys, PfCount, "hyperloglog", "2.8.9", "O(N) with N keys",
               "About how many different elements were counted in"),
         Spread::kGather),
    Keyed("pfdebug", 3, kWrite | kDenyOom | kAdmin, {2, 2, 1}, PfDebug, "hyperloglog", "2.8.9", "N/A",
          "Shows what is in a HyperLogLog"),
    LooksUp(With(Keyed("pfmerge", -2, kWrite | kDenyOom, kAllKeys, PfMerge, "hyperloglog", "2.8.9",
                       "O(N) with N keys", "Joins HyperLogLogs into one"),
                 Spread::kGather)),
};

}  // namespace

std::span<const CommandSpec> HyperLogLogCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

// ZMPOP (https://redis.io/commands/zmpop/). Where its keys lie in several slots, the entry node asks one
// after the other (FirstOfOperation).

#include <string>

#include "commands/command_families.h"
#include "commands/zset_support.h"

namespace orrery::commands {
namespace {

using types::KeyType;
using types::ZsetKey;

// numkeys, or COUNT's number: nullopt if it is not above zero; the error was replied.
std::optional<uint64_t> PositiveArg(CommandContext& context, size_t arg, std::string_view error) {
  const auto number = ParseInteger(context.arg(arg));
  if (number && *number > 0) return static_cast<uint64_t>(*number);
  context.reply.Error(error);
  return std::nullopt;
}

struct PopOptions {
  ZsetKey::End end = ZsetKey::End::kMin;
  uint64_t count = 1;
};

// MIN|MAX [COUNT count]. False: an error was replied.
bool ParsePopOptions(CommandContext& context, size_t from, PopOptions* options) {
  if (from >= context.argc()) return context.reply.Error(kSyntaxError), false;
  if (Is(context.arg(from), "max")) {
    options->end = ZsetKey::End::kMax;
  } else if (!Is(context.arg(from), "min")) {
    return context.reply.Error(kSyntaxError), false;
  }
  if (from + 1 == context.argc()) return true;
  if (!Is(context.arg(from + 1), "count") || from + 2 >= context.argc()) {
    return context.reply.Error(kSyntaxError), false;
  }
  const auto count = PositiveArg(context, from + 2, "ERR count should be greater than 0");
  if (!count) return false;
  options->count = *count;
  return from + 3 == context.argc() || (context.reply.Error(kSyntaxError), false);
}

// Pops from the first of the keys that has members.
void PopFirst(CommandContext& context, size_t first_key, size_t end_key, const PopOptions& options) {
  for (size_t i = first_key; i < end_key; ++i) {
    ZsetKey key = ZsetAt(context, i);
    if (!IsZset(context, key)) return;
    if (key.empty()) continue;
    context.reply.Array(2);
    context.reply.BulkString(context.arg(i));
    const auto popped = key.Pop(options.end, options.count);
    context.reply.Array(popped.size());
    for (const auto& [member, score] : popped) {
      context.reply.Array(2);
      context.reply.BulkString(member);
      context.reply.Double(score);
    }
    return;
  }
  context.reply.NullArray();
}

// ZMPOP numkeys key [key...] MIN|MAX [COUNT count]
void ZMPop(CommandContext& context) {
  const auto keys = PositiveArg(context, 1, "ERR numkeys should be greater than 0");
  if (!keys) return;
  if (*keys > context.argc() - 2) return context.reply.Error(kSyntaxError);
  const size_t end_key = 2 + static_cast<size_t>(*keys);
  PopOptions options;
  if (ParsePopOptions(context, end_key, &options)) PopFirst(context, 2, end_key, options);
}

constexpr CommandSpec kSpecs[] = {
    With(Counted(Keyed("zmpop", -4, kWrite, {}, ZMPop, "sorted-set", "7.0.0",
                       "O(K+M*log(N)) with K keys, N members and M of them returned",
                       "Removes members of the first sorted set that has any"),
                 1),
         Spread::kFirstOf),
};

}  // namespace

std::span<const CommandSpec> ZsetPopCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

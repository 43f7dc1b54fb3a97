// Pops from the first of several sorted sets that has members: ZMPOP (https://redis.io/commands/zmpop/) and the commands
// that wait. Here they take what there is; the entry node asks slot after slot and does the waiting (FirstOfOperation,
// BlockingOperation).

#include <string>

#include "commands/blocking_timeout.h"
#include "commands/command_families.h"
#include "commands/zset_support.h"

namespace orrery::commands {
namespace {

using types::KeyType;
using types::ZsetKey;

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
    if (key.empty() || !context.request.MayTake(context.arg(i))) continue;
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

// ZMPOP numkeys key [key...] MIN|MAX [COUNT count], behind a timeout if it waits.
template <bool kWaits>
void ZMPop(CommandContext& context) {
  constexpr size_t kCountArg = kWaits ? 2 : 1;
  constexpr size_t kFirst = kCountArg + 1;
  const auto keys = PositiveArg(context, kCountArg, "ERR numkeys should be greater than 0");
  if (!keys) return;
  if (*keys > context.argc() - kFirst) return context.reply.Error(kSyntaxError);
  const size_t end_key = kFirst + static_cast<size_t>(*keys);
  PopOptions options;
  if (!ParsePopOptions(context, end_key, &options)) return;
  if (kWaits && !IsTimeout(context, 1)) return;
  PopFirst(context, kFirst, end_key, options);
}

// BZPOPMIN key [key...] timeout
template <ZsetKey::End kEnd>
void BZPop(CommandContext& context) {
  const size_t end_key = context.argc() - 1;
  if (!IsTimeout(context, end_key)) return;
  for (size_t i = 1; i < end_key; ++i) {
    ZsetKey key = ZsetAt(context, i);
    if (!IsZset(context, key)) return;
    if (key.empty() || !context.request.MayTake(context.arg(i))) continue;
    const auto popped = key.Pop(kEnd, 1);
    context.reply.Array(3);
    context.reply.BulkString(context.arg(i));
    context.reply.BulkString(popped.front().member);
    return context.reply.Double(popped.front().score);
  }
  context.reply.NullArray();
}

constexpr CommandSpec BZPopSpec(std::string_view name, Handler handler, std::string_view summary) {
  return With(Keyed(name, -3, kWrite | kFast | kNoscript | kBlocking, {1, -2, 1}, handler, "sorted-set", "5.0.0",
                    "O(log(N)) with N members", summary),
              Spread::kBlocking);
}

constexpr CommandSpec kSpecs[] = {
    BZPopSpec("bzpopmax", BZPop<ZsetKey::End::kMax>,
              "Removes the member with the highest score of the first sorted set that has any, or waits for one"),
    BZPopSpec("bzpopmin", BZPop<ZsetKey::End::kMin>,
              "Removes the member with the lowest score of the first sorted set that has any, or waits for one"),
    With(Counted(Keyed("bzmpop", -5, kWrite | kBlocking, {}, ZMPop<true>, "sorted-set", "7.0.0",
                       "O(K+M*log(N)) with K keys, N members and M of them returned",
                       "Removes members of the first sorted set that has any, or waits for some"),
                 2),
         Spread::kBlocking),
    With(Counted(Keyed("zmpop", -4, kWrite, {}, ZMPop<false>, "sorted-set", "7.0.0",
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

// Commands of lists that wait (https://redis.io/commands/blpop/). Here they take what there is; the entry
// node asks slot after slot and does the waiting (BlockingOperation).

#include <string>
#include <string_view>

#include "commands/blocking_timeout.h"
#include "commands/command_families.h"
#include "commands/list_support.h"

namespace orrery::commands {
namespace {

using types::ListKey;
using End = ListKey::End;

// BLPOP key [key...] timeout
template <End kEnd>
void BPop(CommandContext& context) {
  const size_t end_key = context.argc() - 1;
  if (!IsTimeout(context, end_key)) return;
  for (size_t i = 1; i < end_key; ++i) {
    ListKey key = ListAt(context, i);
    if (!IsList(context, key)) return;
    if (key.empty() || !context.request.MayTake(context.arg(i))) continue;
    context.reply.Array(2);
    context.reply.BulkString(context.arg(i));
    return context.reply.BulkString(key.Pop(kEnd, 1).front());
  }
  context.reply.NullArray();
}

// BLMPOP timeout numkeys key [key...] LEFT|RIGHT [COUNT count]
void BLMPop(CommandContext& context) {
  MultiPop pop;
  if (ParseMultiPop(context, 2, &pop) && IsTimeout(context, 1)) PopFirst(context, pop);
}

// Nothing is moved for a client whose turn it is not; what is wrong with the source it is told all the same.
void MoveInTurn(CommandContext& context, End from, End to) {
  if (context.request.MayTake(context.arg(1))) return MoveElement(context, from, to);
  if (IsList(context, ListAt(context, 1))) context.reply.Null();
}

// BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout
void BLMove(CommandContext& context) {
  End from, to;
  if (!ListEndArg(context, 3, &from) || !ListEndArg(context, 4, &to) || !IsTimeout(context, 5)) return;
  MoveInTurn(context, from, to);
}

// BRPOPLPUSH source destination timeout
void BRPopLPush(CommandContext& context) {
  if (IsTimeout(context, 3)) MoveInTurn(context, End::kTail, End::kHead);
}

constexpr CommandSpec Waiting(std::string_view name, int arity, uint32_t flags, KeyRange keys,
                              Handler handler, std::string_view since, std::string_view complexity,
                              std::string_view summary) {
  return With(
      Keyed(name, arity, flags | kWrite | kBlocking, keys, handler, "list", since, complexity, summary),
      Spread::kBlocking);
}

constexpr std::string_view kPopped = "O(K+log(L)) with K keys and L elements in the list";
constexpr std::string_view kMoved = "O(log(L)) with L elements in the lists";

constexpr CommandSpec kSpecs[] = {
    Waiting("blmove", 6, kDenyOom | kNoscript, {1, 2, 1}, BLMove, "6.2.0", kMoved,
            "Moves an element from one end of a list to an end of another, or waits for one"),
    Counted(Waiting("blmpop", -5, 0, {}, BLMPop, "7.0.0",
                    "O(K+N*log(L)) with K keys, N elements returned and L in the list",
                    "Removes elements of the first list that has any, or waits for some"),
            2),
    Waiting("blpop", -3, kNoscript, {1, -2, 1}, BPop<End::kHead>, "2.0.0", kPopped,
            "Removes the first element of the first list that has any, or waits for one"),
    Waiting("brpop", -3, kNoscript, {1, -2, 1}, BPop<End::kTail>, "2.0.0", kPopped,
            "Removes the last element of the first list that has any, or waits for one"),
    Waiting("brpoplpush", 4, kDenyOom | kNoscript, {1, 2, 1}, BRPopLPush, "2.2.0", kMoved,
            "Moves the last element of a list before the first one of another, or waits for one"),
};

}  // namespace

std::span<const CommandSpec> ListBlockingCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

// https://redis.io/commands/?group=list: what happens at the ends of lists.

#include <string>
#include <string_view>
#include <vector>

#include "commands/command_families.h"
#include "commands/list_support.h"

namespace orrery::commands {
namespace {

using types::ListKey;
using End = ListKey::End;

constexpr std::string_view kNotPositive = "ERR value is out of range, must be positive";

enum class Absent : bool { kIsMade, kStaysAbsent };

// LPUSH key element [element...]
template <End kEnd, Absent kAbsent>
void Push(CommandContext& context) {
  ListKey key = ListAt(context, 1);
  if (!IsList(context, key)) return;
  if (kAbsent == Absent::kStaysAbsent && key.empty()) return context.reply.Integer(0);
  std::vector<std::string_view> values;
  for (size_t i = 2; i < context.argc(); ++i) values.push_back(context.arg(i));
  key.Push(kEnd, values);
  context.reply.Integer(static_cast<int64_t>(key.Count()));
}

void PopCount(CommandContext& context, End end) {
  const auto count = ParseInteger(context.arg(2));
  if (!count || *count < 0) return context.reply.Error(kNotPositive);
  ListKey key = ListAt(context, 1);
  if (!IsList(context, key)) return;
  if (key.empty()) return context.reply.NullArray();
  const auto popped = key.Pop(end, static_cast<uint64_t>(*count));
  context.reply.Array(popped.size());
  for (const std::string& value : popped) context.reply.BulkString(value);
}

// LPOP key [count]
template <End kEnd>
void Pop(CommandContext& context) {
  if (context.argc() > 3) return context.reply.Error(WrongArityText(kEnd == End::kHead ? "lpop" : "rpop"));
  if (context.argc() == 3) return PopCount(context, kEnd);
  ListKey key = ListAt(context, 1);
  if (!IsList(context, key)) return;
  const auto popped = key.Pop(kEnd, 1);
  popped.empty() ? context.reply.Null() : context.reply.BulkString(popped.front());
}

void LLen(CommandContext& context) {
  const ListKey key = ListAt(context, 1);
  if (IsList(context, key)) context.reply.Integer(static_cast<int64_t>(key.Count()));
}

// LMOVE source destination LEFT|RIGHT LEFT|RIGHT
void LMove(CommandContext& context) {
  End from, to;
  if (ListEndArg(context, 3, &from) && ListEndArg(context, 4, &to)) MoveElement(context, from, to);
}
void RPopLPush(CommandContext& context) {
  MoveElement(context, End::kTail, End::kHead);
}

// LMPOP numkeys key [key...] LEFT|RIGHT [COUNT count]
void LMPop(CommandContext& context) {
  MultiPop pop;
  if (ParseMultiPop(context, 1, &pop)) PopFirst(context, pop);
}

constexpr uint32_t kGrow = kWrite | kDenyOom;
constexpr std::string_view kPushed = "O(N*log(L)) with N elements given and L in the list";
constexpr std::string_view kPopped = "O(N*log(L)) with N elements returned and L in the list";
constexpr std::string_view kMoved = "O(log(L)) with L elements in the lists";

constexpr CommandSpec kSpecs[] = {
    ListSpec("llen", 2, kReadonly | kFast, LLen, "1.0.0", "O(1)", "How many elements there are"),
    With(Keyed("lmove", 5, kGrow, {1, 2, 1}, LMove, "list", "6.2.0", kMoved,
               "Moves an element from one end of a list to an end of another"),
         Spread::kGather),
    With(Counted(Keyed("lmpop", -4, kWrite, {}, LMPop, "list", "7.0.0",
                       "O(K+N*log(L)) with K keys, N elements returned and L in the list",
                       "Removes elements of the first list that has any"),
                 1),
         Spread::kFirstOf),
    ListSpec("lpop", -2, kWrite | kFast, Pop<End::kHead>, "1.0.0", kPopped, "Removes the first elements"),
    ListSpec("lpush", -3, kGrow | kFast, Push<End::kHead, Absent::kIsMade>, "1.0.0", kPushed,
             "Puts elements before the first one"),
    ListSpec("lpushx", -3, kGrow | kFast, Push<End::kHead, Absent::kStaysAbsent>, "2.2.0", kPushed,
             "Puts elements before the first one, if there is one"),
    ListSpec("rpop", -2, kWrite | kFast, Pop<End::kTail>, "1.0.0", kPopped, "Removes the last elements"),
    With(Keyed("rpoplpush", 3, kGrow, {1, 2, 1}, RPopLPush, "list", "1.2.0", kMoved,
               "Moves the last element of a list before the first one of another"),
         Spread::kGather),
    ListSpec("rpush", -3, kGrow | kFast, Push<End::kTail, Absent::kIsMade>, "1.0.0", kPushed,
             "Puts elements behind the last one"),
    ListSpec("rpushx", -3, kGrow | kFast, Push<End::kTail, Absent::kStaysAbsent>, "2.2.0", kPushed,
             "Puts elements behind the last one, if there is one"),
};

}  // namespace

std::span<const CommandSpec> ListCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

#include "commands/list_support.h"

namespace orrery::commands {

using types::ListKey;

std::optional<ListKey::End> EndOf(std::string_view option) {
  if (Is(option, "left")) return ListKey::End::kHead;
  if (Is(option, "right")) return ListKey::End::kTail;
  return std::nullopt;
}

bool ListEndArg(CommandContext& context, size_t arg, ListKey::End* end) {
  const auto named = arg < context.argc() ? EndOf(context.arg(arg)) : std::nullopt;
  if (!named) return context.reply.Error(kSyntaxError), false;
  *end = *named;
  return true;
}

void MoveElement(CommandContext& context, ListKey::End from, ListKey::End to) {
  ListKey source = ListAt(context, 1);
  if (!IsList(context, source)) return;
  if (source.empty()) return context.reply.Null();
  ListKey target = ListAt(context, 2);
  if (!IsList(context, target)) return;
  if (SlotOf(context.arg(1)) == context.request.slot) {
    return context.reply.BulkString(*source.Move(from, &target, to));
  }
  const std::string value = *source.At(ListKey::IndexOf(from));
  const std::string_view moved[] = {value};
  target.Push(to, moved);
  context.reply.BulkString(value);
}

bool ParseMultiPop(CommandContext& context, size_t count_arg, MultiPop* pop) {
  const auto keys = PositiveArg(context, count_arg, "ERR numkeys should be greater than 0");
  if (!keys) return false;
  pop->first_key = count_arg + 1;
  if (*keys > context.argc() - pop->first_key) return context.reply.Error(kSyntaxError), false;
  pop->end_key = pop->first_key + static_cast<size_t>(*keys);
  if (!ListEndArg(context, pop->end_key, &pop->end)) return false;
  const size_t option = pop->end_key + 1;
  if (option == context.argc()) return true;
  if (!Is(context.arg(option), "count") || option + 2 > context.argc()) {
    return context.reply.Error(kSyntaxError), false;
  }
  const auto count = PositiveArg(context, option + 1, "ERR count should be greater than 0");
  if (!count) return false;
  pop->count = *count;
  return option + 2 == context.argc() || (context.reply.Error(kSyntaxError), false);
}

void PopFirst(CommandContext& context, const MultiPop& pop) {
  for (size_t i = pop.first_key; i < pop.end_key; ++i) {
    ListKey key = ListAt(context, i);
    if (!IsList(context, key)) return;
    if (key.empty() || !context.request.MayTake(context.arg(i))) continue;
    context.reply.Array(2);
    context.reply.BulkString(context.arg(i));
    const auto popped = key.Pop(pop.end, pop.count);
    context.reply.Array(popped.size());
    for (const std::string& value : popped) context.reply.BulkString(value);
    return;
  }
  context.reply.NullArray();
}

}  // namespace orrery::commands

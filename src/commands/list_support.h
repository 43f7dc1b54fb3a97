#pragma once

#include <cstddef>
#include <cstdint>

#include "commands/handler_support.h"
#include "orrery/commands/command.h"
#include "orrery/types/list_type.h"

namespace orrery::commands {

/// What the commands of lists share, those that wait included.

inline types::ListKey ListAt(CommandContext& context, size_t arg) {
  return types::ListKey(&context.transaction, context.db(), context.arg(arg));
}
inline bool IsList(CommandContext& context, const types::KeyView& key) {
  return TypeFits(context, key, types::KeyType::kList);
}

/// LEFT or RIGHT; otherwise the reply is an error, and false.
bool ListEndArg(CommandContext& context, size_t arg, types::ListKey::End* end);
/// The end of an option; nullopt: it is none.
std::optional<types::ListKey::End> EndOf(std::string_view option);

/// LMOVE and its kin: moves an element from the list of argument 1 to that of argument 2 and replies it, or
/// null. Where the source is of another slot, its outermost element is attached, and the entry node removes
/// it there once it is here (GatherOperation).
void MoveElement(CommandContext& context, types::ListKey::End from, types::ListKey::End to);

/// LMPOP and its kin: numkeys key [key...] LEFT|RIGHT [COUNT count].
struct MultiPop {
  size_t first_key = 0;
  size_t end_key = 0;
  types::ListKey::End end = types::ListKey::End::kHead;
  uint64_t count = 1;
};
/// count_arg: that of numkeys. False: an error was replied.
bool ParseMultiPop(CommandContext& context, size_t count_arg, MultiPop* pop);
/// Pops from the first list that has elements, and replies its key and them, or a null array.
void PopFirst(CommandContext& context, const MultiPop& pop);

constexpr CommandSpec ListSpec(std::string_view name, int arity, uint32_t flags, Handler handler,
                               std::string_view since, std::string_view complexity,
                               std::string_view summary) {
  return Keyed(name, arity, flags, kFirstKey, handler, "list", since, complexity, summary);
}

}  // namespace orrery::commands

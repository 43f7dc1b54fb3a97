// https://redis.io/commands/?group=set

#include <string>
#include <vector>

#include "commands/collection_support.h"
#include "commands/command_families.h"
#include "commands/handler_support.h"
#include "orrery/types/set_type.h"

namespace orrery::commands {
namespace {

using types::KeyType;
using types::SetKey;

SetKey SetAt(CommandContext& context, size_t arg) {
  return SetKey(&context.transaction, context.db(), context.arg(arg));
}

bool IsSet(CommandContext& context, const types::KeyView& key) {
  return TypeFits(context, key, KeyType::kSet);
}

void ReplyMembers(CommandContext& context, const std::vector<std::string>& members) {
  for (const std::string& member : members) context.reply.BulkString(member);
}

// ---- writing ----

void SAdd(CommandContext& context) {
  SetKey key = SetAt(context, 1);
  if (!IsSet(context, key)) return;
  int64_t added = 0;
  for (size_t i = 2; i < context.argc(); ++i) added += key.Insert(context.arg(i)) ? 1 : 0;
  context.reply.Integer(added);
}

void SRem(CommandContext& context) {
  SetKey key = SetAt(context, 1);
  if (!IsSet(context, key)) return;
  int64_t removed = 0;
  for (size_t i = 2; i < context.argc(); ++i) removed += key.Erase(context.arg(i)) ? 1 : 0;
  context.reply.Integer(removed);
}

// SPOP key [count]
void SPop(CommandContext& context) {
  if (context.argc() > 3) return context.reply.Error(kSyntaxError);
  const bool one = context.argc() == 2;
  int64_t count = 1;
  if (!one) {
    const auto number = ParseInteger(context.arg(2));
    if (!number || *number < 0) return context.reply.Error("ERR value is out of range, must be positive");
    count = *number;
  }
  SetKey key = SetAt(context, 1);
  if (!IsSet(context, key)) return;
  const std::vector<std::string> popped = SampleOf(context, key, count);
  if (popped.size() == key.Count()) {
    key.Remove();
  } else {
    for (const std::string& member : popped) key.Erase(member);
  }
  if (one && popped.empty()) return context.reply.Null();
  if (!one) context.reply.Set(popped.size());
  ReplyMembers(context, popped);
}

// SMOVE source destination member. Where the source is of another slot, its rows are attached, and the entry
// node removes the member there once it is here (GatherOperation).
void SMove(CommandContext& context) {
  const std::string_view member = context.arg(3);
  SetKey source = SetAt(context, 1);
  if (!source.exists()) return context.reply.Integer(0);
  SetKey destination = SetAt(context, 2);
  if (!IsSet(context, source) || !IsSet(context, destination)) return;
  const bool there = source.Contains(member);
  if (there && context.arg(1) != context.arg(2)) {
    if (SlotOf(context.arg(1)) == context.request.slot) source.Erase(member);
    destination.Insert(member);
  }
  context.reply.Integer(there ? 1 : 0);
}

// ---- reading ----

void SCard(CommandContext& context) {
  const SetKey key = SetAt(context, 1);
  if (IsSet(context, key)) context.reply.Integer(static_cast<int64_t>(key.Count()));
}

void SIsMember(CommandContext& context) {
  const SetKey key = SetAt(context, 1);
  if (IsSet(context, key)) context.reply.Integer(key.Contains(context.arg(2)) ? 1 : 0);
}

void SMIsMember(CommandContext& context) {
  const SetKey key = SetAt(context, 1);
  if (!IsSet(context, key)) return;
  context.reply.Array(context.argc() - 2);
  for (size_t i = 2; i < context.argc(); ++i) context.reply.Integer(key.Contains(context.arg(i)) ? 1 : 0);
}

void SMembers(CommandContext& context) {
  const SetKey key = SetAt(context, 1);
  if (!IsSet(context, key)) return;
  context.reply.Set(key.Count());
  key.VisitShown({}, [&](std::string_view member, const auto&) {
    context.reply.BulkString(member);
    return true;
  });
}

// SRANDMEMBER key [count]
void SRandMember(CommandContext& context) {
  if (context.argc() > 3) return context.reply.Error(kSyntaxError);
  const bool one = context.argc() == 2;
  const auto count = one ? std::optional<int64_t>(1) : SampleCountArg(context, 2, false);
  if (!count) return;
  const SetKey key = SetAt(context, 1);
  if (!IsSet(context, key)) return;
  const auto chosen = SampleToReply(context, key, *count);
  if (!chosen) return;
  const std::vector<std::string>& members = *chosen;
  if (one && members.empty()) return context.reply.Null();
  if (!one) context.reply.Array(members.size());
  ReplyMembers(context, members);
}

void SScan(CommandContext& context) {
  ReplyScan(context, SetAt(context, 1), 1,
            [](resp::ReplyWriter& reply, std::string_view member, const causality::Row&) {
              reply.BulkString(member);
            });
}

constexpr CommandSpec SetSpec(std::string_view name, int arity, uint32_t flags, Handler handler,
                              std::string_view since, std::string_view complexity, std::string_view summary) {
  return Keyed(name, arity, flags, kFirstKey, handler, "set", since, complexity, summary);
}

constexpr CommandSpec kSpecs[] = {
    SetSpec("sadd", -3, kWrite | kDenyOom | kFast, SAdd, "1.0.0", "O(N) with N members given",
            "Adds members"),
    SetSpec("scard", 2, kReadonly | kFast, SCard, "1.0.0", "O(1)", "How many members there are"),
    SetSpec("sismember", 3, kReadonly | kFast, SIsMember, "1.0.0", "O(1)", "Whether a member is there"),
    SetSpec("smembers", 2, kReadonly, SMembers, "1.0.0", "O(N) with N members", "All members"),
    SetSpec("smismember", -3, kReadonly | kFast, SMIsMember, "6.2.0", "O(N) with N members given",
            "Which of these members are there"),
    With(Keyed("smove", 4, kWrite | kFast, {1, 2, 1}, SMove, "set", "1.0.0",
               "O(1) within a slot, else O(N) with N members of the source", "Moves a member to another set"),
         Spread::kGather),
    SetSpec("spop", -2, kWrite | kFast, SPop, "1.0.0", "O(N) with N members returned",
            "Removes members chosen by chance"),
    SetSpec("srandmember", -2, kReadonly, SRandMember, "1.0.0", "O(N) with N members returned",
            "Members chosen by chance"),
    SetSpec("srem", -3, kWrite | kFast, SRem, "1.0.0", "O(N) with N members given", "Removes members"),
    SetSpec("sscan", -3, kReadonly, SScan, "2.8.0", "O(1) for a call, O(N) for all N members",
            "Some of the members, and where to go on"),
};

}  // namespace

std::span<const CommandSpec> SetCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

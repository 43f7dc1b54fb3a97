// Commands over several sets. Sets of other slots are attached by the entry node (GatherOperation).

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "commands/command_families.h"
#include "commands/handler_support.h"
#include "orrery/types/set_type.h"

namespace orrery::commands {
namespace {

using types::KeyType;
using types::SetKey;
using Members = std::vector<std::string>;

// The sets that the arguments from first up to last name; nullopt: one of them is none, the error was
// replied.
std::optional<std::vector<SetKey>> SetsAt(CommandContext& context, size_t first, size_t last) {
  std::vector<SetKey> sets;
  for (size_t i = first; i < last; ++i) {
    sets.emplace_back(&context.transaction, context.db(), context.arg(i));
    if (!TypeFits(context, sets.back(), KeyType::kSet)) return std::nullopt;
  }
  return sets;
}

template <typename Visit>
void VisitMembers(const SetKey& set, const Visit& visit) {
  set.VisitShown({}, [&](std::string_view member, const auto&) { return visit(member); });
}

// At most limit members, 0 for all. Looks at each member of the smallest set only.
Members Intersection(const std::vector<SetKey>& sets, uint64_t limit) {
  const auto smallest = std::min_element(
      sets.begin(), sets.end(), [](const SetKey& a, const SetKey& b) { return a.Count() < b.Count(); });
  Members members;
  VisitMembers(*smallest, [&](std::string_view member) {
    const bool in_all =
        std::all_of(sets.begin(), sets.end(), [&](const SetKey& s) { return s.Contains(member); });
    if (in_all) members.emplace_back(member);
    return limit == 0 || members.size() < limit;
  });
  return members;
}

Members Union(const std::vector<SetKey>& sets) {
  std::set<std::string, std::less<>> members;
  for (const SetKey& set : sets) {
    VisitMembers(set, [&](std::string_view member) {
      members.emplace(member);
      return true;
    });
  }
  return {members.begin(), members.end()};
}

Members Difference(const std::vector<SetKey>& sets) {
  Members members;
  VisitMembers(sets.front(), [&](std::string_view member) {
    const bool in_another =
        std::any_of(sets.begin() + 1, sets.end(), [&](const SetKey& s) { return s.Contains(member); });
    if (!in_another) members.emplace_back(member);
    return true;
  });
  return members;
}

enum class Algebra : uint8_t { kInter, kUnion, kDiff };

Members Combine(Algebra algebra, const std::vector<SetKey>& sets) {
  if (algebra == Algebra::kInter) return Intersection(sets, 0);
  return algebra == Algebra::kUnion ? Union(sets) : Difference(sets);
}

template <Algebra kAlgebra>
void Reply(CommandContext& context) {
  const auto sets = SetsAt(context, 1, context.argc());
  if (!sets) return;
  const Members members = Combine(kAlgebra, *sets);
  context.reply.Set(members.size());
  for (const std::string& member : members) context.reply.BulkString(member);
}

template <Algebra kAlgebra>
void Store(CommandContext& context) {
  const auto sets = SetsAt(context, 2, context.argc());
  if (!sets) return;
  const Members members = Combine(kAlgebra, *sets);
  SetKey target(&context.transaction, context.db(), context.arg(1));
  target.Remove();
  for (const std::string& member : members) target.Insert(member);
  context.reply.Integer(static_cast<int64_t>(members.size()));
}

// SINTERCARD numkeys key [key...] [LIMIT limit]
void SInterCard(CommandContext& context) {
  const auto keys = ParseInteger(context.arg(1));
  if (!keys || *keys <= 0) return context.reply.Error("ERR numkeys should be greater than 0");
  if (static_cast<uint64_t>(*keys) > context.argc() - 2) {
    return context.reply.Error("ERR Number of keys can't be greater than number of args");
  }
  const size_t end = 2 + static_cast<size_t>(*keys);
  uint64_t limit = 0;
  for (size_t i = end; i < context.argc(); i += 2) {
    if (!Is(context.arg(i), "limit") || i + 1 == context.argc()) return context.reply.Error(kSyntaxError);
    const auto number = ParseInteger(context.arg(i + 1));
    if (!number || *number < 0) return context.reply.Error("ERR LIMIT can't be negative");
    limit = static_cast<uint64_t>(*number);
  }
  const auto sets = SetsAt(context, 2, end);
  if (sets) context.reply.Integer(static_cast<int64_t>(Intersection(*sets, limit).size()));
}

constexpr uint32_t kStores = kWrite | kDenyOom;

constexpr CommandSpec Several(std::string_view name, int arity, uint32_t flags, Handler handler,
                              std::string_view since, std::string_view complexity, std::string_view summary) {
  return LooksUp(
      With(Keyed(name, arity, flags, kAllKeys, handler, "set", since, complexity, summary), Spread::kGather));
}

constexpr CommandSpec kSpecs[] = {
    Several("sdiff", -2, kReadonly, Reply<Algebra::kDiff>, "1.0.0", "O(N) with N members of all sets",
            "Members of the first set that no other one has"),
    Several("sdiffstore", -3, kStores, Store<Algebra::kDiff>, "1.0.0", "O(N) with N members of all sets",
            "Stores the members of the first set that no other one has"),
    Several("sinter", -2, kReadonly, Reply<Algebra::kInter>, "1.0.0",
            "O(N*M) with N members of the smallest of M sets", "Members that all sets have"),
    With(Counted(Keyed("sintercard", -3, kReadonly, {}, SInterCard, "set", "7.0.0",
                       "O(N*M) with N members of the smallest of M sets", "How many members all sets have"),
                 1),
         Spread::kGather),
    Several("sinterstore", -3, kStores, Store<Algebra::kInter>, "1.0.0",
            "O(N*M) with N members of the smallest of M sets", "Stores the members that all sets have"),
    Several("sunion", -2, kReadonly, Reply<Algebra::kUnion>, "1.0.0", "O(N) with N members of all sets",
            "Members that any of the sets has"),
    Several("sunionstore", -3, kStores, Store<Algebra::kUnion>, "1.0.0", "O(N) with N members of all sets",
            "Stores the members that any of the sets has"),
};

}  // namespace

std::span<const CommandSpec> SetAlgebraCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

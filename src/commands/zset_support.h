#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "commands/handler_support.h"
#include "orrery/commands/command.h"
#include "orrery/types/zset_type.h"

namespace orrery::commands {

/// What the commands of sorted sets and geo share.

inline types::ZsetKey ZsetAt(CommandContext& context, size_t arg) {
  return types::ZsetKey(&context.transaction, context.db(), context.arg(arg));
}
inline bool IsZset(CommandContext& context, const types::KeyView& key) {
  return TypeFits(context, key, types::KeyType::kZset);
}

/// A score, or the reply that it is no float.
std::optional<double> ScoreArg(CommandContext& context, size_t arg,
                               std::string_view error = "ERR value is not a valid float");

/// "1.5", "(1.5", "-inf": the ends of a range of scores; otherwise Redis's error reply.
using ScoreRange = std::pair<types::ScoreBound, types::ScoreBound>;
std::optional<ScoreRange> ScoreRangeArgs(CommandContext& context, size_t min_arg, size_t max_arg);
/// "[member", "(member", "-", "+": the ends of a range of members; otherwise Redis's error reply. Views into
/// the arguments.
using LexRange = std::pair<types::LexBound, types::LexBound>;
std::optional<LexRange> LexRangeArgs(CommandContext& context, size_t min_arg, size_t max_arg);

/// Members with their scores: pairs in RESP3, one after the other in RESP2.
enum class Scores : bool { kHidden, kShown };
void ReplyMembers(CommandContext& context, const std::vector<types::ScoredMember>& members, Scores scores);
/// One element of such an array, whose header has been written.
void ReplyMember(resp::ReplyWriter& reply, std::string_view member, double score, Scores scores);
/// Such an array's header.
void ReplyMemberCount(resp::ReplyWriter& reply, size_t members, Scores scores);

/// Replaces whatever the key holds by these members, and replies how many they are.
void StoreMembers(CommandContext& context, std::string_view key,
                  const std::vector<types::ScoredMember>& members);

constexpr CommandSpec ZsetSpec(std::string_view name, int arity, uint32_t flags, Handler handler,
                               std::string_view since, std::string_view complexity,
                               std::string_view summary) {
  return Keyed(name, arity, flags, kFirstKey, handler, "sorted-set", since, complexity, summary);
}

}  // namespace orrery::commands

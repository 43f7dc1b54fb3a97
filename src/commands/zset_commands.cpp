// https://redis.io/commands/?group=sorted-set: single members, counts, and what is left of them.

#include <string>
#include <vector>

#include "commands/collection_support.h"
#include "commands/command_families.h"
#include "commands/zset_support.h"
#include "orrery/types/zset_score.h"

namespace orrery::commands {
namespace {

using types::ZsetKey;

void ReplyScore(CommandContext& context, const ZsetKey& key, std::string_view member) {
  const auto score = key.Score(member);
  score ? context.reply.Double(*score) : context.reply.Null();
}

void ZScore(CommandContext& context) {
  const ZsetKey key = ZsetAt(context, 1);
  if (IsZset(context, key)) ReplyScore(context, key, context.arg(2));
}

void ZMScore(CommandContext& context) {
  const ZsetKey key = ZsetAt(context, 1);
  if (!IsZset(context, key)) return;
  context.reply.Array(context.argc() - 2);
  for (size_t i = 2; i < context.argc(); ++i) ReplyScore(context, key, context.arg(i));
}

void ZCard(CommandContext& context) {
  const ZsetKey key = ZsetAt(context, 1);
  if (IsZset(context, key)) context.reply.Integer(static_cast<int64_t>(key.Count()));
}

void ZCount(CommandContext& context) {
  const auto range = ScoreRangeArgs(context, 2, 3);
  if (!range) return;
  const ZsetKey key = ZsetAt(context, 1);
  if (!IsZset(context, key)) return;
  context.reply.Integer(static_cast<int64_t>(key.ByScore(range->first, range->second).size()));
}

void ZLexCount(CommandContext& context) {
  const auto range = LexRangeArgs(context, 2, 3);
  if (!range) return;
  const ZsetKey key = ZsetAt(context, 1);
  if (!IsZset(context, key)) return;
  context.reply.Integer(static_cast<int64_t>(key.ByLex(range->first, range->second).size()));
}

template <bool kReverse>
void ZRank(CommandContext& context) {
  const ZsetKey key = ZsetAt(context, 1);
  if (!IsZset(context, key)) return;
  const auto rank = key.Rank(context.arg(2));
  if (!rank) return context.reply.Null();
  context.reply.Integer(static_cast<int64_t>(kReverse ? key.Count() - 1 - *rank : *rank));
}

void ZRem(CommandContext& context) {
  ZsetKey key = ZsetAt(context, 1);
  if (!IsZset(context, key)) return;
  int64_t removed = 0;
  for (size_t i = 2; i < context.argc(); ++i) removed += key.Erase(context.arg(i)) ? 1 : 0;
  context.reply.Integer(removed);
}

// ZPOPMIN key [count]. RESP3 nests pairs where a count was given.
template <ZsetKey::End kEnd>
void ZPop(CommandContext& context) {
  if (context.argc() > 3) return context.reply.Error(kSyntaxError);
  const bool one = context.argc() == 2;
  const auto count = one ? std::optional<int64_t>(1) : ParseInteger(context.arg(2));
  if (!count || *count < 0) return context.reply.Error("ERR value is out of range, must be positive");
  ZsetKey key = ZsetAt(context, 1);
  if (!IsZset(context, key)) return;
  const auto popped = key.Pop(kEnd, static_cast<uint64_t>(*count));
  if (!one) return ReplyMembers(context, popped, Scores::kShown);
  context.reply.Array(2 * popped.size());
  for (const auto& [member, score] : popped) {
    context.reply.BulkString(member);
    context.reply.Double(score);
  }
}

// ZRANDMEMBER key [count [WITHSCORES]]
void ZRandMember(CommandContext& context) {
  const bool one = context.argc() == 2;
  const auto count = one ? std::optional<int64_t>(1) : SampleCountArg(context, 2, false);
  if (!count) return;
  const bool with_scores = context.argc() > 3;
  if (context.argc() > 4 || (with_scores && !Is(context.arg(3), "withscores"))) {
    return context.reply.Error(kSyntaxError);
  }
  if (with_scores && !SampleCountArg(context, 2, true)) return;
  const ZsetKey key = ZsetAt(context, 1);
  if (!IsZset(context, key)) return;
  const auto chosen = SampleToReply(context, key, *count);
  if (!chosen) return;
  const std::vector<std::string>& members = *chosen;
  if (one) return members.empty() ? context.reply.Null() : context.reply.BulkString(members[0]);
  const Scores scores = with_scores ? Scores::kShown : Scores::kHidden;
  ReplyMemberCount(context.reply, members.size(), scores);
  for (const std::string& member : members) {
    ReplyMember(context.reply, member, with_scores ? key.Score(member).value_or(0) : 0, scores);
  }
}

void ZScan(CommandContext& context) {
  ReplyScan(context, ZsetAt(context, 1), 2,
            [](resp::ReplyWriter& reply, std::string_view member, const causality::Row& row) {
              reply.BulkString(member);
              reply.BulkString(DoubleToText(types::ShowScore(row)));
            });
}

constexpr CommandSpec kSpecs[] = {
    ZsetSpec("zcard", 2, kReadonly | kFast, ZCard, "1.2.0", "O(1)", "How many members there are"),
    ZsetSpec("zcount", 4, kReadonly | kFast, ZCount, "2.0.0", "O(log(N)) with N members",
             "How many members have a score in a range"),
    ZsetSpec("zlexcount", 4, kReadonly | kFast, ZLexCount, "2.8.9", "O(log(N)) with N members",
             "How many members of one score are in a range of members"),
    ZsetSpec("zmscore", -3, kReadonly | kFast, ZMScore, "6.2.0", "O(N) with N members given",
             "The scores of members"),
    ZsetSpec("zpopmax", -2, kWrite | kFast, ZPop<ZsetKey::End::kMax>, "5.0.0",
             "O(M*log(N)) with N members, M of which are returned",
             "Removes members with the highest scores"),
    ZsetSpec("zpopmin", -2, kWrite | kFast, ZPop<ZsetKey::End::kMin>, "5.0.0",
             "O(M*log(N)) with N members, M of which are returned", "Removes members with the lowest scores"),
    ZsetSpec("zrandmember", -2, kReadonly, ZRandMember, "6.2.0", "O(N) with N members returned",
             "Members chosen by chance"),
    ZsetSpec("zrank", 3, kReadonly | kFast, ZRank<false>, "2.0.0", "O(log(N)) with N members",
             "How many members stand before one"),
    ZsetSpec("zrem", -3, kWrite | kFast, ZRem, "1.2.0", "O(M*log(N)) with N members, M of which are given",
             "Removes members"),
    ZsetSpec("zrevrank", 3, kReadonly | kFast, ZRank<true>, "2.0.0", "O(log(N)) with N members",
             "How many members stand behind one"),
    ZsetSpec("zscan", -3, kReadonly, ZScan, "2.8.0", "O(1) for a call, O(N) for all N members",
             "Some of the members and their scores, and where to go on"),
    ZsetSpec("zscore", 3, kReadonly | kFast, ZScore, "1.2.0", "O(1)", "The score of a member"),
};

}  // namespace

std::span<const CommandSpec> ZsetCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

#include "commands/zset_support.h"

#include <cmath>
#include <cstdlib>
#include <string>

namespace orrery::commands {

using types::LexBound;
using types::ScoreBound;
using types::ScoredMember;

namespace {

// What strtod reads up to the end, of "" nothing, which is 0.
std::optional<ScoreBound> ScoreBoundOf(std::string_view text) {
  ScoreBound bound;
  if (text.starts_with('(')) {
    bound.exclusive = true;
    text.remove_prefix(1);
  }
  const std::string number(text);
  char* end = nullptr;
  bound.score = std::strtod(number.c_str(), &end);
  if (*end != '\0' || std::isnan(bound.score)) return std::nullopt;
  return bound;
}

std::optional<LexBound> LexBoundOf(std::string_view text) {
  if (text == "-") return LexBound{LexBound::Kind::kBeforeAll, {}, false};
  if (text == "+") return LexBound{LexBound::Kind::kAfterAll, {}, false};
  if (!text.starts_with('(') && !text.starts_with('[')) return std::nullopt;
  return LexBound{LexBound::Kind::kMember, text.substr(1), text.front() == '('};
}

}  // namespace

std::optional<double> ScoreArg(CommandContext& context, size_t arg, std::string_view error) {
  const auto score = ParseDouble(context.arg(arg));
  if (!score) context.reply.Error(error);
  return score;
}

std::optional<ScoreRange> ScoreRangeArgs(CommandContext& context, size_t min_arg, size_t max_arg) {
  const auto min = ScoreBoundOf(context.arg(min_arg)), max = ScoreBoundOf(context.arg(max_arg));
  if (min && max) return ScoreRange{*min, *max};
  context.reply.Error("ERR min or max is not a float");
  return std::nullopt;
}

std::optional<LexRange> LexRangeArgs(CommandContext& context, size_t min_arg, size_t max_arg) {
  const auto min = LexBoundOf(context.arg(min_arg)), max = LexBoundOf(context.arg(max_arg));
  if (min && max) return LexRange{*min, *max};
  context.reply.Error("ERR min or max not valid string range item");
  return std::nullopt;
}

void ReplyMemberCount(resp::ReplyWriter& reply, size_t members, Scores scores) {
  reply.Array(scores == Scores::kShown && !reply.resp3() ? 2 * members : members);
}

void ReplyMember(resp::ReplyWriter& reply, std::string_view member, double score, Scores scores) {
  const bool shown = scores == Scores::kShown;
  if (shown && reply.resp3()) reply.Array(2);
  reply.BulkString(member);
  if (shown) reply.Double(score);
}

void ReplyMembers(CommandContext& context, const std::vector<ScoredMember>& members, Scores scores) {
  ReplyMemberCount(context.reply, members.size(), scores);
  for (const ScoredMember& each : members) ReplyMember(context.reply, each.member, each.score, scores);
}

void StoreMembers(CommandContext& context, std::string_view key, const std::vector<ScoredMember>& members) {
  types::ZsetKey target(&context.transaction, context.db(), key);
  target.Remove();
  for (const ScoredMember& each : members) target.Set(each.member, each.score);
  context.reply.Integer(static_cast<int64_t>(members.size()));
}

}  // namespace orrery::commands

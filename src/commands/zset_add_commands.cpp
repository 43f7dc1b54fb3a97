// ZADD and ZINCRBY (https://redis.io/commands/zadd/).

#include "commands/zset_add.h"

#include <cmath>
#include <string>
#include <vector>

#include "commands/command_families.h"
#include "commands/zset_support.h"

namespace orrery::commands {

using types::ZsetKey;

bool TakeAddOption(std::string_view arg, AddOptions* options) {
  bool* flag = Is(arg, "nx")     ? &options->only_new
               : Is(arg, "xx")   ? &options->only_present
               : Is(arg, "gt")   ? &options->only_greater
               : Is(arg, "lt")   ? &options->only_less
               : Is(arg, "ch")   ? &options->count_changed
               : Is(arg, "incr") ? &options->increment
                                 : nullptr;
  if (flag == nullptr) return false;
  *flag = true;
  return true;
}

std::string_view WrongTogether(const AddOptions& options) {
  const bool ordered = options.only_greater || options.only_less;
  if (options.only_new && options.only_present) {
    return "ERR XX and NX options at the same time are not compatible";
  }
  if ((ordered && options.only_new) || (options.only_greater && options.only_less)) {
    return "ERR GT, LT, and/or NX options at the same time are not compatible";
  }
  return {};
}

namespace {

// Whether the options let a member of score `was` (nullopt: absent) get the score.
bool MayBecome(const AddOptions& options, std::optional<double> was, double score) {
  if (!was) return !options.only_present;
  if (options.only_new) return false;
  return !(options.only_greater && score <= *was) && !(options.only_less && score >= *was);
}

void Increase(CommandContext& context, const AddOptions& options, std::string_view member, double delta) {
  ZsetKey key = ZsetAt(context, 1);
  if (!IsZset(context, key)) return;
  const auto was = key.Score(member);
  if (was && options.only_new) return context.reply.Null();
  const double sum = was ? *was + delta : delta;
  if (std::isnan(sum)) return context.reply.Error("ERR resulting score is not a number (NaN)");
  if (!MayBecome(options, was, sum)) return context.reply.Null();
  context.reply.Double(key.Increment(member, delta));
}

// The arguments from `from` on are scores and members.
void AddPairs(CommandContext& context, AddOptions options, size_t from) {
  const size_t count = context.argc() - from;
  if (count % 2 == 1 || count == 0) return context.reply.Error(kSyntaxError);
  if (const auto wrong = WrongTogether(options); !wrong.empty()) return context.reply.Error(wrong);
  if (options.increment && count > 2) {
    return context.reply.Error("ERR INCR option supports a single increment-element pair");
  }
  std::vector<AddedScore> pairs;
  for (size_t i = from; i < context.argc(); i += 2) {
    const auto score = ScoreArg(context, i);
    if (!score) return;
    pairs.push_back({*score, context.arg(i + 1)});
  }
  if (options.increment) return Increase(context, options, pairs[0].member, pairs[0].score);
  AddScores(context, options, pairs);
}

}  // namespace

// A score that is there already is written again, although it does not count as a change: whoever removes the
// member at the same time has not seen this.
void AddScores(CommandContext& context, const AddOptions& options, const std::vector<AddedScore>& pairs) {
  ZsetKey key = ZsetAt(context, 1);
  if (!IsZset(context, key)) return;
  int64_t added = 0, changed = 0;
  for (const auto& [score, member] : pairs) {
    const auto was = key.Score(member);
    if (!MayBecome(options, was, score)) continue;
    key.Set(member, score);
    added += was ? 0 : 1;
    changed += was && *was != score ? 1 : 0;
  }
  context.reply.Integer(options.count_changed ? added + changed : added);
}

namespace {

// ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member [score member...]
template <bool kIncrement>
void ZAdd(CommandContext& context) {
  AddOptions options;
  options.increment = kIncrement;
  size_t from = 2;
  while (from < context.argc() && TakeAddOption(context.arg(from), &options)) ++from;
  AddPairs(context, options, from);
}

constexpr uint32_t kGrow = kWrite | kDenyOom | kFast;

constexpr CommandSpec kSpecs[] = {
    ZsetSpec("zadd", -4, kGrow, ZAdd<false>, "1.2.0", "O(log(N)) for each member, with N members",
             "Adds members, or gives them other scores"),
    ZsetSpec("zincrby", 4, kGrow, ZAdd<true>, "1.2.0", "O(log(N)) with N members",
             "Adds to a member's score"),
};

}  // namespace

std::span<const CommandSpec> ZsetAddCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

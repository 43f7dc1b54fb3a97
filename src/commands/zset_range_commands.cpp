// Ranges of sorted sets: ZRANGE and what it replaces, ZRANGESTORE, ZREMRANGEBY*
// (https://redis.io/commands/zrange/). Every range is two places in the order, found by the key's counted
// index; only what is replied is read.

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "commands/command_families.h"
#include "commands/zset_support.h"

namespace orrery::commands {
namespace {

using types::RankRange;
using types::ScoredMember;
using types::ZsetKey;

enum class By : uint8_t { kRank, kScore, kLex };

// What a command's name says, nullopt where its options do.
struct Form {
  std::optional<By> by;
  std::optional<bool> reverse;
  bool stores = false;
};

struct RangeOptions {
  By by = By::kRank;
  bool reverse = false;
  bool with_scores = false;
  int64_t offset = 0;
  int64_t limit = -1;
};

// The options behind key, min and max. False: an error was replied.
bool ParseRangeOptions(CommandContext& context, const Form& form, size_t from, RangeOptions* options) {
  std::optional<By> by = form.by;
  std::optional<bool> reverse = form.reverse;
  for (size_t i = from; i < context.argc(); ++i) {
    const std::string_view arg = context.arg(i);
    if (!form.stores && Is(arg, "withscores")) {
      options->with_scores = true;
    } else if (Is(arg, "limit") && i + 2 < context.argc()) {
      const auto offset = IntegerArg(context, i + 1);
      const auto limit = offset ? IntegerArg(context, i + 2) : std::nullopt;
      if (!limit) return false;
      options->offset = *offset;
      options->limit = *limit;
      i += 2;
    } else if (!reverse && Is(arg, "rev")) {
      reverse = true;
    } else if (!by && Is(arg, "bylex")) {
      by = By::kLex;
    } else if (!by && Is(arg, "byscore")) {
      by = By::kScore;
    } else {
      return context.reply.Error(kSyntaxError), false;
    }
  }
  options->by = by.value_or(By::kRank);
  options->reverse = reverse.value_or(false);
  if (options->limit != -1 && options->by == By::kRank) {
    context.reply.Error(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
    return false;
  }
  if (options->with_scores && options->by == By::kLex) {
    context.reply.Error("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
    return false;
  }
  return true;
}

// The two ends, as their arguments say; parsed before the key is looked at.
class Ends {
 public:
  // False: an error was replied. first_arg names the lower end, unless scores or members are walked
  // downwards.
  bool Parse(CommandContext& context, By by, size_t first_arg, bool swapped) {
    by_ = by;
    const size_t min = first_arg + (swapped ? 1 : 0), max = first_arg + (swapped ? 0 : 1);
    if (by == By::kScore) return (scores_ = ScoreRangeArgs(context, min, max)).has_value();
    if (by == By::kLex) return (members_ = LexRangeArgs(context, min, max)).has_value();
    const auto first = IntegerArg(context, first_arg);
    const auto last = first ? IntegerArg(context, first_arg + 1) : std::nullopt;
    if (!last) return false;
    ranks_ = {*first, *last};
    return true;
  }

  RankRange In(const ZsetKey& key, bool reverse) const {
    if (by_ == By::kScore) return key.ByScore(scores_->first, scores_->second);
    if (by_ == By::kLex) return key.ByLex(members_->first, members_->second, reverse);
    const RankRange range = key.ByRank(ranks_.first, ranks_.second);
    if (!reverse || range.size() == 0) return range;
    return {key.Count() - range.end, key.Count() - range.begin};
  }

 private:
  By by_ = By::kRank;
  std::pair<int64_t, int64_t> ranks_;
  std::optional<ScoreRange> scores_;
  std::optional<LexRange> members_;
};

// LIMIT: a negative offset leaves nothing, a negative limit everything. Of places there is none, and an
// offset that was given with -1 does nothing.
RankRange Limited(RankRange range, const RangeOptions& options) {
  if (options.by == By::kRank) return range;
  const uint64_t size = range.size();
  if (options.offset < 0 || static_cast<uint64_t>(options.offset) >= size) return {};
  const auto skipped = static_cast<uint64_t>(options.offset);
  const uint64_t left = size - skipped;
  const uint64_t taken = options.limit < 0 ? left : std::min(left, static_cast<uint64_t>(options.limit));
  if (options.reverse) return {range.end - skipped - taken, range.end - skipped};
  return {range.begin + skipped, range.begin + skipped + taken};
}

// Replies straight from the walk: a range may be large.
void ReplyRange(CommandContext& context, const ZsetKey& key, const RankRange& range,
                const RangeOptions& options) {
  const Scores scores = options.with_scores ? Scores::kShown : Scores::kHidden;
  ReplyMemberCount(context.reply, range.size(), scores);
  key.VisitRange(range, options.reverse, [&](std::string_view member, double score) {
    ReplyMember(context.reply, member, score, scores);
    return true;
  });
}

void Range(CommandContext& context, const Form& form) {
  const size_t key_arg = form.stores ? 2 : 1;
  RangeOptions options;
  if (!ParseRangeOptions(context, form, key_arg + 3, &options)) return;
  Ends ends;
  if (!ends.Parse(context, options.by, key_arg + 1, options.reverse)) return;
  const ZsetKey key = ZsetAt(context, key_arg);
  if (!IsZset(context, key)) return;
  const RankRange range = key.empty() ? RankRange() : Limited(ends.In(key, options.reverse), options);
  if (form.stores) return StoreMembers(context, context.arg(1), key.Slice(range, options.reverse));
  ReplyRange(context, key, range, options);
}

void ZRange(CommandContext& context) {
  Range(context, {});
}
void ZRangeStore(CommandContext& context) {
  Range(context, {std::nullopt, std::nullopt, true});
}
void ZRevRange(CommandContext& context) {
  Range(context, {By::kRank, true, false});
}
void ZRangeByScore(CommandContext& context) {
  Range(context, {By::kScore, false, false});
}
void ZRevRangeByScore(CommandContext& context) {
  Range(context, {By::kScore, true, false});
}
void ZRangeByLex(CommandContext& context) {
  Range(context, {By::kLex, false, false});
}
void ZRevRangeByLex(CommandContext& context) {
  Range(context, {By::kLex, true, false});
}

template <By kBy>
void ZRemRange(CommandContext& context) {
  Ends ends;
  if (!ends.Parse(context, kBy, 2, false)) return;
  ZsetKey key = ZsetAt(context, 1);
  if (!IsZset(context, key)) return;
  const std::vector<ScoredMember> members =
      key.empty() ? std::vector<ScoredMember>() : key.Slice(ends.In(key, false), false);
  if (!members.empty()) key.EraseAll(members);
  context.reply.Integer(static_cast<int64_t>(members.size()));
}

constexpr std::string_view kRangeCost = "O(log(N)+M) with N members, M of which are in the range";

constexpr CommandSpec Read(std::string_view name, Handler handler, std::string_view since,
                           std::string_view summary) {
  return ZsetSpec(name, -4, kReadonly, handler, since, kRangeCost, summary);
}
constexpr CommandSpec Removal(std::string_view name, Handler handler, std::string_view since,
                              std::string_view summary) {
  return ZsetSpec(name, 4, kWrite, handler, since, "O(M*log(N)) with N members, M of which are removed",
                  summary);
}

constexpr CommandSpec kSpecs[] = {
    Read("zrange", ZRange, "1.2.0", "Members in a range of places, scores or members"),
    Read("zrangebylex", ZRangeByLex, "2.8.9", "Members in a range of members of one score"),
    Read("zrangebyscore", ZRangeByScore, "1.0.5", "Members in a range of scores"),
    LooksUp(With(Keyed("zrangestore", -5, kWrite | kDenyOom, {1, 2, 1}, ZRangeStore, "sorted-set", "6.2.0",
                       kRangeCost, "Stores the members of a range"),
                 Spread::kGather)),
    Removal("zremrangebylex", ZRemRange<By::kLex>, "2.8.9", "Removes a range of members of one score"),
    Removal("zremrangebyrank", ZRemRange<By::kRank>, "2.0.0", "Removes a range of places"),
    Removal("zremrangebyscore", ZRemRange<By::kScore>, "1.2.0", "Removes a range of scores"),
    Read("zrevrange", ZRevRange, "1.2.0", "Members in a range of places, counted from the last one"),
    Read("zrevrangebylex", ZRevRangeByLex, "2.8.9",
         "Members in a range of members of one score, the last one first"),
    Read("zrevrangebyscore", ZRevRangeByScore, "2.2.0", "Members in a range of scores, the highest first"),
};

}  // namespace

std::span<const CommandSpec> ZsetRangeCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

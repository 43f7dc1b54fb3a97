// Commands over several sorted sets, or sets, whose members count as scored 1
// (https://redis.io/commands/zunion/). Keys of other slots are attached by the entry node (GatherOperation).

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "commands/command_families.h"
#include "commands/zset_support.h"
#include "orrery/types/zset_score.h"

namespace orrery::commands {
namespace {

using causality::Row;
using types::CollectionKey;
using types::KeyType;
using types::ScoredMember;
using Members = std::vector<ScoredMember>;

enum class Algebra : uint8_t { kUnion, kInter, kDiff };
enum class Aggregate : uint8_t { kSum, kMin, kMax };

struct Source {
  CollectionKey key;
  double weight = 1;

  double ScoreIn(const Row& row) const {
    return key.own_type() == KeyType::kZset ? types::ShowScore(row) : 1.0;
  }
  double WeightedIn(const Row& row) const { return weight * ScoreIn(row); }
};

/// What follows the name, or the target: numkeys key [key...] and the options.
struct Call {
  std::vector<Source> sources;
  Aggregate aggregate = Aggregate::kSum;
  Scores scores = Scores::kHidden;
  uint64_t limit = 0;
};

/// Which options a command takes.
struct Form {
  Algebra algebra = Algebra::kUnion;
  bool stores = false;
  bool counts = false;
};

// Infinite weights and scores may make no number: that counts as none.
double NumberOr0(double score) {
  return std::isnan(score) ? 0 : score;
}

double Aggregated(Aggregate aggregate, double a, double b) {
  if (aggregate == Aggregate::kMin) return b < a ? b : a;
  if (aggregate == Aggregate::kMax) return b > a ? b : a;
  return NumberOr0(a + b);
}

// False: an error was replied.
bool ParseSources(CommandContext& context, std::string_view name, size_t count_arg, Call* call) {
  const auto keys = IntegerArg(context, count_arg);
  if (!keys) return false;
  if (*keys < 1) {
    context.reply.Error("ERR at least 1 input key is needed for '" + std::string(name) + "' command");
    return false;
  }
  if (static_cast<uint64_t>(*keys) > context.argc() - count_arg - 1) {
    return context.reply.Error(kSyntaxError), false;
  }
  for (size_t i = count_arg + 1; i <= count_arg + static_cast<size_t>(*keys); ++i) {
    const KeyType type = AnyKeyAt(context, i).type();
    context.CountLookup(type != KeyType::kNone);
    if (type != KeyType::kNone && type != KeyType::kZset && type != KeyType::kSet) {
      return context.reply.Error(kWrongType), false;
    }
    const KeyType read_as = type == KeyType::kSet ? KeyType::kSet : KeyType::kZset;
    call->sources.push_back({CollectionKey(&context.transaction, context.db(), context.arg(i), read_as), 1});
  }
  return true;
}

bool ParseWeights(CommandContext& context, size_t from, Call* call) {
  for (size_t i = 0; i < call->sources.size(); ++i) {
    const auto weight = ScoreArg(context, from + i, "ERR weight value is not a float");
    if (!weight) return false;
    call->sources[i].weight = *weight;
  }
  return true;
}

bool ParseAggregate(std::string_view arg, Call* call) {
  if (Is(arg, "sum")) return call->aggregate = Aggregate::kSum, true;
  if (Is(arg, "min")) return call->aggregate = Aggregate::kMin, true;
  if (Is(arg, "max")) return call->aggregate = Aggregate::kMax, true;
  return false;
}

bool ParseLimit(CommandContext& context, size_t arg, Call* call) {
  const auto limit = ParseInteger(context.arg(arg));
  if (!limit || *limit < 0) return context.reply.Error("ERR LIMIT can't be negative"), false;
  call->limit = static_cast<uint64_t>(*limit);
  return true;
}

bool ParseOptions(CommandContext& context, const Form& form, size_t from, Call* call) {
  const bool combines = form.algebra != Algebra::kDiff && !form.counts;
  for (size_t i = from; i < context.argc(); ++i) {
    const std::string_view arg = context.arg(i);
    const size_t behind = context.argc() - i - 1;
    if (combines && behind >= call->sources.size() && Is(arg, "weights")) {
      if (!ParseWeights(context, i + 1, call)) return false;
      i += call->sources.size();
    } else if (combines && behind >= 1 && Is(arg, "aggregate")) {
      if (!ParseAggregate(context.arg(++i), call)) return context.reply.Error(kSyntaxError), false;
    } else if (!form.stores && !form.counts && Is(arg, "withscores")) {
      call->scores = Scores::kShown;
    } else if (form.counts && behind >= 1 && Is(arg, "limit")) {
      if (!ParseLimit(context, ++i, call)) return false;
    } else {
      return context.reply.Error(kSyntaxError), false;
    }
  }
  return true;
}

// The smallest source decides what is looked at, and the order in which scores are added what is lost by
// rounding.
void SortBySize(std::vector<Source>* sources) {
  std::stable_sort(sources->begin(), sources->end(),
                   [](const Source& a, const Source& b) { return a.key.Count() < b.key.Count(); });
}

Members Union(Call* call) {
  SortBySize(&call->sources);
  std::map<std::string, double, std::less<>> scores;
  for (const Source& source : call->sources) {
    source.key.Visit({}, [&](std::string_view member, const Row& row) {
      const double score = NumberOr0(source.WeightedIn(row));
      const auto [it, is_new] = scores.emplace(member, score);
      if (!is_new) it->second = Aggregated(call->aggregate, it->second, score);
      return true;
    });
  }
  Members members;
  members.reserve(scores.size());
  for (const auto& [member, score] : scores) members.push_back({member, score});
  return members;
}

// nullopt: another source lacks the member.
std::optional<double> ScoreInAll(const Call& call, std::string_view member, double first) {
  double score = NumberOr0(first);
  for (size_t i = 1; i < call.sources.size(); ++i) {
    const Row* row = call.sources[i].key.Find(member);
    if (row == nullptr) return std::nullopt;
    score = Aggregated(call.aggregate, score, call.sources[i].WeightedIn(*row));
  }
  return score;
}

Members Intersection(Call* call) {
  SortBySize(&call->sources);
  Members members;
  const Source& smallest = call->sources.front();
  smallest.key.Visit({}, [&](std::string_view member, const Row& row) {
    if (const auto score = ScoreInAll(*call, member, smallest.WeightedIn(row))) {
      members.push_back({std::string(member), *score});
    }
    return call->limit == 0 || members.size() < call->limit;
  });
  return members;
}

Members Difference(const Call& call) {
  Members members;
  const auto& sources = call.sources;
  sources.front().key.Visit({}, [&](std::string_view member, const Row& row) {
    const bool elsewhere = std::any_of(sources.begin() + 1, sources.end(),
                                       [&](const Source& source) { return source.key.Contains(member); });
    if (!elsewhere) members.push_back({std::string(member), sources.front().ScoreIn(row)});
    return true;
  });
  return members;
}

Members Combine(Algebra algebra, Call* call) {
  if (algebra == Algebra::kUnion) return Union(call);
  return algebra == Algebra::kInter ? Intersection(call) : Difference(*call);
}

void Run(CommandContext& context, std::string_view name, const Form& form) {
  const size_t count_arg = form.stores ? 2 : 1;
  Call call;
  if (!ParseSources(context, name, count_arg, &call)) return;
  if (!ParseOptions(context, form, count_arg + 1 + call.sources.size(), &call)) return;
  Members members = Combine(form.algebra, &call);
  if (form.counts) return context.reply.Integer(static_cast<int64_t>(members.size()));
  if (form.stores) return StoreMembers(context, context.arg(1), members);
  std::sort(members.begin(), members.end(), [](const ScoredMember& a, const ScoredMember& b) {
    return a.score != b.score ? a.score < b.score : a.member < b.member;
  });
  ReplyMembers(context, members, call.scores);
}

void ZUnion(CommandContext& context) {
  Run(context, "zunion", {Algebra::kUnion});
}
void ZInter(CommandContext& context) {
  Run(context, "zinter", {Algebra::kInter});
}
void ZDiff(CommandContext& context) {
  Run(context, "zdiff", {Algebra::kDiff});
}
void ZUnionStore(CommandContext& context) {
  Run(context, "zunionstore", {Algebra::kUnion, true});
}
void ZInterStore(CommandContext& context) {
  Run(context, "zinterstore", {Algebra::kInter, true});
}
void ZDiffStore(CommandContext& context) {
  Run(context, "zdiffstore", {Algebra::kDiff, true});
}
void ZInterCard(CommandContext& context) {
  Run(context, "zintercard", {Algebra::kInter, false, true});
}

constexpr std::string_view kAllCost = "O(N*log(N)) with N members of all sets";
constexpr std::string_view kSmallestCost = "O(N*M) with N members of the smallest of M sets";

constexpr CommandSpec Read(std::string_view name, Handler handler, std::string_view since,
                           std::string_view complexity, std::string_view summary) {
  return With(Counted(Keyed(name, -3, kReadonly, {}, handler, "sorted-set", since, complexity, summary), 1),
              Spread::kGather);
}
constexpr CommandSpec Store(std::string_view name, Handler handler, std::string_view since,
                            std::string_view complexity, std::string_view summary) {
  return LooksUp(With(Counted(Keyed(name, -4, kWrite | kDenyOom, kFirstKey, handler, "sorted-set", since,
                                    complexity, summary),
                              2),
                      Spread::kGather));
}

constexpr CommandSpec kSpecs[] = {
    Read("zdiff", ZDiff, "6.2.0", kAllCost, "Members of the first set that no other one has"),
    Store("zdiffstore", ZDiffStore, "6.2.0", kAllCost,
          "Stores the members of the first set that no other one has"),
    Read("zinter", ZInter, "6.2.0", kSmallestCost, "Members that all sets have, their scores combined"),
    Read("zintercard", ZInterCard, "7.0.0", kSmallestCost, "How many members all sets have"),
    Store("zinterstore", ZInterStore, "2.0.0", kSmallestCost,
          "Stores the members that all sets have, their scores combined"),
    Read("zunion", ZUnion, "6.2.0", kAllCost, "Members that any of the sets has, their scores combined"),
    Store("zunionstore", ZUnionStore, "2.0.0", kAllCost,
          "Stores the members that any of the sets has, their scores combined"),
};

}  // namespace

std::span<const CommandSpec> ZsetAlgebraCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

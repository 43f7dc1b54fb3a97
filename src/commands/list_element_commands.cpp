// https://redis.io/commands/?group=list: elements by index or value, and ranges.

#include <limits>
#include <string>
#include <vector>

#include "commands/command_families.h"
#include "commands/list_support.h"

namespace orrery::commands {
namespace {

using types::ListKey;
using types::RankRange;

constexpr std::string_view kRankIsZero =
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to "
    "start "
    "from the end of the list";
constexpr std::string_view kRankOutOfRange =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

void LIndex(CommandContext& context) {
  const ListKey key = ListAt(context, 1);
  if (!IsList(context, key)) return;
  if (key.empty()) return context.reply.Null();
  const auto index = IntegerArg(context, 2);
  if (!index) return;
  const auto value = key.At(*index);
  value ? context.reply.BulkString(*value) : context.reply.Null();
}

void LRange(CommandContext& context) {
  const auto first = IntegerArg(context, 2);
  if (!first) return;
  const auto last = IntegerArg(context, 3);
  if (!last) return;
  const ListKey key = ListAt(context, 1);
  if (!IsList(context, key)) return;
  const RankRange range = key.Range(*first, *last);
  context.reply.Array(range.size());
  key.VisitRange(range, false, [&](uint64_t, std::string_view value) {
    context.reply.BulkString(value);
    return true;
  });
}

void LSet(CommandContext& context) {
  ListKey key = ListAt(context, 1);
  if (!IsList(context, key)) return;
  if (key.empty()) return context.reply.Error(kNoSuchKey);
  const auto index = IntegerArg(context, 2);
  if (!index) return;
  if (!key.Set(*index, context.arg(3))) return context.reply.Error("ERR index out of range");
  context.reply.Ok();
}

// LINSERT key BEFORE|AFTER pivot element
void LInsert(CommandContext& context) {
  const bool behind = Is(context.arg(2), "after");
  if (!behind && !Is(context.arg(2), "before")) return context.reply.Error(kSyntaxError);
  ListKey key = ListAt(context, 1);
  if (!IsList(context, key)) return;
  if (key.empty()) return context.reply.Integer(0);
  const bool inserted = key.Insert(context.arg(3), behind, context.arg(4));
  context.reply.Integer(inserted ? static_cast<int64_t>(key.Count()) : -1);
}

void LRem(CommandContext& context) {
  const auto count = IntegerArg(context, 2);
  if (!count) return;
  ListKey key = ListAt(context, 1);
  if (!IsList(context, key)) return;
  context.reply.Integer(static_cast<int64_t>(key.RemoveEqual(context.arg(3), *count)));
}

void LTrim(CommandContext& context) {
  const auto first = IntegerArg(context, 2);
  if (!first) return;
  const auto last = IntegerArg(context, 3);
  if (!last) return;
  ListKey key = ListAt(context, 1);
  if (!IsList(context, key)) return;
  key.Trim(key.Range(*first, *last));
  context.reply.Ok();
}

// ---- LPOS ----

struct PosOptions {
  int64_t rank = 1;
  std::optional<int64_t> count;
  int64_t maxlen = 0;  // 0: no limit
};

// False: an error was replied.
bool ParseRank(CommandContext& context, size_t arg, PosOptions* options) {
  const auto rank = IntegerArg(context, arg);
  if (!rank) return false;
  if (*rank == std::numeric_limits<int64_t>::min()) return context.reply.Error(kRankOutOfRange), false;
  if (*rank == 0) return context.reply.Error(kRankIsZero), false;
  options->rank = *rank;
  return true;
}

bool ParseLimit(CommandContext& context, size_t arg, std::string_view error, int64_t* limit) {
  const auto number = ParseInteger(context.arg(arg));
  if (!number || *number < 0) return context.reply.Error(error), false;
  *limit = *number;
  return true;
}

bool ParsePosOptions(CommandContext& context, PosOptions* options) {
  for (size_t i = 3; i < context.argc(); i += 2) {
    const std::string_view name = context.arg(i);
    const bool has_value = i + 1 < context.argc();
    if (has_value && Is(name, "rank")) {
      if (!ParseRank(context, i + 1, options)) return false;
    } else if (has_value && Is(name, "count")) {
      if (!ParseLimit(context, i + 1, "ERR COUNT can't be negative", &options->count.emplace())) return false;
    } else if (has_value && Is(name, "maxlen")) {
      if (!ParseLimit(context, i + 1, "ERR MAXLEN can't be negative", &options->maxlen)) return false;
    } else {
      return context.reply.Error(kSyntaxError), false;
    }
  }
  return true;
}

// Indexes of elements that equal the value, in the order in which they were met.
std::vector<uint64_t> Matches(const ListKey& key, std::string_view value, const PosOptions& options) {
  const bool reverse = options.rank < 0;
  const auto wanted = static_cast<uint64_t>(options.count.value_or(1));
  int64_t to_skip = (reverse ? -options.rank : options.rank) - 1;
  RankRange range{0, key.Count()};
  const auto maxlen = static_cast<uint64_t>(options.maxlen);
  if (maxlen != 0 && maxlen < range.size()) {
    range = reverse ? RankRange{range.end - maxlen, range.end} : RankRange{0, maxlen};
  }
  std::vector<uint64_t> found;
  key.VisitRange(range, reverse, [&](uint64_t rank, std::string_view shown) {
    if (shown == value && to_skip-- <= 0) found.push_back(rank);
    return wanted == 0 || found.size() < wanted;
  });
  return found;
}

// LPOS key element [RANK rank] [COUNT count] [MAXLEN length]
void LPos(CommandContext& context) {
  PosOptions options;
  if (!ParsePosOptions(context, &options)) return;
  const ListKey key = ListAt(context, 1);
  if (!IsList(context, key)) return;
  const std::vector<uint64_t> found = Matches(key, context.arg(2), options);
  if (options.count) {
    context.reply.Array(found.size());
    for (const uint64_t rank : found) context.reply.Integer(static_cast<int64_t>(rank));
    return;
  }
  found.empty() ? context.reply.Null() : context.reply.Integer(static_cast<int64_t>(found.front()));
}

constexpr uint32_t kGrow = kWrite | kDenyOom;
constexpr std::string_view kAll = "O(L) with L elements in the list";

constexpr CommandSpec kSpecs[] = {
    ListSpec("lindex", 3, kReadonly, LIndex, "1.0.0", "O(log(L)) with L elements in the list",
             "The element of an index"),
    ListSpec("linsert", 5, kGrow, LInsert, "2.2.0", kAll, "Puts an element before or behind another"),
    ListSpec("lpos", -3, kReadonly, LPos, "6.0.6", kAll, "Where an element stands"),
    ListSpec("lrange", 4, kReadonly, LRange, "1.0.0",
             "O(log(L)+N) with L elements in the list and N in the range", "The elements of a range"),
    ListSpec("lrem", 4, kWrite, LRem, "1.0.0", kAll, "Removes elements that equal a value"),
    ListSpec("lset", 4, kGrow, LSet, "1.0.0", "O(log(L)) with L elements in the list",
             "Replaces the element of an index"),
    ListSpec("ltrim", 4, kWrite, LTrim, "1.0.0", "O(N*log(L)) with N elements removed and L in the list",
             "Removes what is not in a range"),
};

}  // namespace

std::span<const CommandSpec> ListElementCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

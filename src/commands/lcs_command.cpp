// LCS: https://redis.io/commands/lcs/

#include <algorithm>
#include <string>
#include <vector>

#include "commands/command_families.h"
#include "commands/handler_support.h"

namespace orrery::commands {
namespace {

using types::StringKey;

struct Options {
  bool length = false, indexes = false, match_lengths = false;
  int64_t match_length_min = 0;
};

bool Parse(CommandContext& context, Options* options) {
  for (size_t i = 3; i < context.argc(); ++i) {
    if (Is(context.arg(i), "idx")) {
      options->indexes = true;
    } else if (Is(context.arg(i), "len")) {
      options->length = true;
    } else if (Is(context.arg(i), "withmatchlen")) {
      options->match_lengths = true;
    } else if (Is(context.arg(i), "minmatchlen") && i + 1 < context.argc()) {
      const auto minimum = IntegerArg(context, ++i);
      if (!minimum) return false;
      options->match_length_min = std::max<int64_t>(*minimum, 0);
    } else {
      return context.reply.Error(kSyntaxError), false;
    }
  }
  if (!options->length || !options->indexes) return true;
  context.reply.Error("ERR If you want both the length and indexes, please just use IDX.");
  return false;
}

// Lengths of the longest common subsequences of all pairs of prefixes, row by row.
class Table {
 public:
  Table(std::string_view a, std::string_view b) : width_(b.size() + 1), cells_((a.size() + 1) * width_) {
    for (size_t i = 1; i <= a.size(); ++i) {
      for (size_t j = 1; j <= b.size(); ++j) {
        At(i, j) = a[i - 1] == b[j - 1] ? Get(i - 1, j - 1) + 1 : std::max(Get(i - 1, j), Get(i, j - 1));
      }
    }
  }
  uint32_t Get(size_t i, size_t j) const { return cells_[i * width_ + j]; }

 private:
  uint32_t& At(size_t i, size_t j) { return cells_[i * width_ + j]; }
  size_t width_;
  std::vector<uint32_t> cells_;
};

struct Match {
  size_t a_first, a_last, b_first, b_last;
  size_t length() const { return a_last - a_first + 1; }
};

// Walks back from the ends; matches come last first, as Redis lists them.
std::vector<Match> Walk(const Table& table, std::string_view a, std::string_view b, std::string* common) {
  std::vector<Match> matches;
  size_t i = a.size(), j = b.size();
  while (i > 0 && j > 0) {
    if (a[i - 1] != b[j - 1]) {
      table.Get(i - 1, j) > table.Get(i, j - 1) ? --i : --j;
      continue;
    }
    common->push_back(a[i - 1]);
    --i, --j;
    const bool extends = !matches.empty() && matches.back().a_first == i + 1 && matches.back().b_first == j + 1;
    if (extends) {
      matches.back().a_first = i;
      matches.back().b_first = j;
    } else {
      matches.push_back({i, i, j, j});
    }
  }
  std::reverse(common->begin(), common->end());
  return matches;
}

void ReplyRange(CommandContext& context, size_t first, size_t last) {
  context.reply.Array(2);
  context.reply.Integer(static_cast<int64_t>(first));
  context.reply.Integer(static_cast<int64_t>(last));
}

void ReplyMatches(CommandContext& context, const Options& options, const std::vector<Match>& matches, size_t length) {
  context.reply.Map(2);
  context.reply.BulkString("matches");
  const auto shown = [&](const Match& match) { return static_cast<int64_t>(match.length()) >= options.match_length_min; };
  context.reply.Array(static_cast<size_t>(std::count_if(matches.begin(), matches.end(), shown)));
  for (const Match& match : matches) {
    if (!shown(match)) continue;
    context.reply.Array(options.match_lengths ? 3 : 2);
    ReplyRange(context, match.a_first, match.a_last);
    ReplyRange(context, match.b_first, match.b_last);
    if (options.match_lengths) context.reply.Integer(static_cast<int64_t>(match.length()));
  }
  context.reply.BulkString("len");
  context.reply.Integer(static_cast<int64_t>(length));
}

void Lcs(CommandContext& context) {
  const StringKey first = KeyAt(context, 1), second = KeyAt(context, 2);
  const bool has_first = Finds(context, first), has_second = Finds(context, second);
  for (const StringKey* key : {&first, &second}) {
    if (key->exists() && key->type() != types::KeyType::kString) {
      return context.reply.Error("ERR The specified keys must contain string values");
    }
  }
  Options options;
  if (!Parse(context, &options)) return;
  const std::string a = has_first ? first.Value() : std::string();
  const std::string b = has_second ? second.Value() : std::string();
  if ((a.size() + 1) * (b.size() + 1) > kValueBytesMax / sizeof(uint32_t)) {
    return context.reply.Error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  }
  std::string common;
  const std::vector<Match> matches = Walk(Table(a, b), a, b, &common);
  if (options.indexes) return ReplyMatches(context, options, matches, common.size());
  if (options.length) return context.reply.Integer(static_cast<int64_t>(common.size()));
  context.reply.BulkString(common);
}

constexpr CommandSpec kSpecs[] = {
    With(Keyed("lcs", -3, kReadonly, {1, 2, 1}, Lcs, "string", "7.0.0", "O(N*M) with N and M bytes of the values",
               "The longest common subsequence of two values"),
         Spread::kGather),
};

}  // namespace

std::span<const CommandSpec> LcsCommands() { return kSpecs; }

}  // namespace orrery::commands

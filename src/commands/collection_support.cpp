#include "commands/collection_support.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "commands/scan_cursor.h"
#include "orrery/commands/glob.h"
#include "orrery/types/element.h"

namespace orrery::commands {
namespace {

/// Elements that are chosen one by one for one reply, and those chosen between looks at their bytes.
constexpr uint64_t kOneByOneMax = uint64_t{1} << 20;
constexpr uint64_t kOneByOnePart = 1024;

struct ScanOptions {
  uint64_t order = 0;
  uint64_t count = 10;
  std::string_view pattern = "*";
};

// False: an error was replied.
bool ParseScanOptions(CommandContext& context, ScanOptions* options) {
  for (size_t i = 3; i < context.argc(); i += 2) {
    if (i + 1 == context.argc()) return context.reply.Error(kSyntaxError), false;
    if (Is(context.arg(i), "count")) {
      const auto count = IntegerArg(context, i + 1);
      if (!count) return false;
      if (*count < 1) return context.reply.Error(kSyntaxError), false;
      options->count = static_cast<uint64_t>(*count);
    } else if (Is(context.arg(i), "match")) {
      options->pattern = context.arg(i + 1);
    } else {
      return context.reply.Error(kSyntaxError), false;
    }
  }
  return true;
}

}  // namespace

void ReplyScan(CommandContext& context, const types::CollectionKey& key, size_t replies_per_element,
               EmitElement emit) {
  ScanOptions options;
  const auto cursor = ParseCursorNumber(context.arg(2));
  if (!cursor) return context.reply.Error("ERR invalid cursor");
  options.order = *cursor;
  if (!TypeFits(context, key, key.own_type())) return;
  if (key.exists() && !ParseScanOptions(context, &options)) return;
  std::string elements;
  resp::ReplyWriter writer(&elements, context.reply.protocol());
  uint64_t looked_at = 0, shown = 0, next_order = 0, last_order = 0;
  const auto visit = [&](std::string_view element, const causality::Row& row) {
    // Elements of equal order must be in one page: the order is all that a cursor remembers.
    const uint64_t order = types::ElementOrder(element);
    if (looked_at >= options.count && order != last_order) {
      next_order = order;
      return false;
    }
    ++looked_at;
    last_order = order;
    if (options.pattern != "*" && !GlobMatches(options.pattern, element)) return true;
    ++shown;
    emit(writer, element, row);
    return true;
  };
  if (options.order >> types::kElementOrderBits == 0) key.Visit(types::ElementOrderBytes(options.order), visit);
  context.reply.Array(2);
  context.reply.BulkString(std::to_string(next_order));
  context.reply.Array(shown * replies_per_element);
  context.reply.Raw(elements);
}

std::optional<int64_t> SampleCountArg(CommandContext& context, size_t arg, bool two_replies_each) {
  const auto count = IntegerArg(context, arg);
  if (!count) return std::nullopt;
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  if (*count < -kMax) {
    context.reply.Error("ERR value is out of range, value must between " + std::to_string(-kMax) + " and " +
                        std::to_string(kMax));
    return std::nullopt;
  }
  if (!two_replies_each || (*count >= -kMax / 2 && *count <= kMax / 2)) return count;
  context.reply.Error("ERR value is out of range");
  return std::nullopt;
}

std::vector<std::string> SampleOf(CommandContext& context, const types::CollectionKey& key, int64_t count) {
  types::Chance chance(context.transaction);
  return key.SampleDistinct(static_cast<uint64_t>(count), &chance);
}

std::optional<std::vector<std::string>> SampleToReply(
    CommandContext& context, const types::CollectionKey& key, int64_t count,
    const std::function<size_t(std::string_view element)>& bytes_beside) {
  if (count >= 0) return SampleOf(context, key, count);
  std::vector<std::string> chosen;
  if (key.empty()) return chosen;
  types::Chance chance(context.transaction);
  uint64_t left = static_cast<uint64_t>(-count);
  uint64_t bytes = left > kOneByOneMax ? kValueBytesMax + 1 : 0;
  while (left > 0 && bytes <= kValueBytesMax) {
    const uint64_t part = std::min(left, kOneByOnePart);
    for (std::string& element : key.Sample(part, &chance)) {
      bytes += element.size() + (bytes_beside ? bytes_beside(element) : 0);
      chosen.push_back(std::move(element));
    }
    left -= part;
  }
  if (bytes <= kValueBytesMax) return chosen;
  context.reply.Error("ERR the reply would be too large");
  return std::nullopt;
}

}  // namespace orrery::commands

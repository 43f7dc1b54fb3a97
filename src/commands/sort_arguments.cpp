#include "commands/sort_arguments.h"

#include "commands/handler_support.h"

namespace orrery::commands {

SortArguments ParseSort(Args args, bool may_store) {
  SortArguments sort;
  for (size_t i = 2; i < args.size(); ++i) {
    const size_t behind = args.size() - i - 1;
    if (Is(args[i], "asc") || Is(args[i], "desc")) {
      sort.descending = Is(args[i], "desc");
    } else if (Is(args[i], "alpha")) {
      sort.alpha = true;
    } else if (Is(args[i], "limit") && behind >= 2) {
      const auto offset = ParseInteger(args[i + 1]);
      const auto count = ParseInteger(args[i + 2]);
      if (!offset || !count) return sort.error = kNotInteger, sort;
      sort.offset = *offset;
      sort.count = *count;
      i += 2;
    } else if (Is(args[i], "by") && behind >= 1) {
      sort.by = args[++i];
      sort.sorts = sort.sorts && sort.by.find('*') != std::string_view::npos;
    } else if (Is(args[i], "get") && behind >= 1) {
      sort.gets.push_back(args[++i]);
    } else if (may_store && Is(args[i], "store") && behind >= 1) {
      sort.store_arg = ++i;
    } else {
      return sort.error = kSyntaxError, sort;
    }
  }
  return sort;
}

bool NamesKeys(std::string_view pattern) {
  return pattern != "#" && pattern.find('*') != std::string_view::npos;
}

std::optional<SlotId> SlotOfPattern(std::string_view pattern) {
  const std::string_view fixed = pattern.substr(0, pattern.find('*'));
  const size_t open = fixed.find('{');
  const size_t close = open == std::string_view::npos ? open : fixed.find('}', open);
  if (close == std::string_view::npos || close == open + 1) return std::nullopt;
  return SlotOf(fixed);
}

PatternKey KeyOfPattern(std::string_view pattern, std::string_view element) {
  constexpr std::string_view kArrow = "->";
  const size_t star = pattern.find('*');
  const size_t arrow = pattern.find(kArrow, star + 1);
  PatternKey named;
  // An arrow with nothing behind it is a part of the key.
  if (arrow != std::string_view::npos && arrow + kArrow.size() < pattern.size()) {
    named.field = pattern.substr(arrow + kArrow.size());
    pattern = pattern.substr(0, arrow);
  }
  named.key.append(pattern.substr(0, star)).append(element).append(pattern.substr(star + 1));
  return named;
}

}  // namespace orrery::commands

#include "orrery/commands/glob.h"

#include <utility>

namespace orrery::commands {
namespace {

struct Exact {
  char operator()(char c) const { return c; }
};
struct IgnoringCase {
  char operator()(char c) const { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
};

/// Whether c is in the class that starts after '['. *rest is what follows the class; one that is never closed
/// reaches to the end of the pattern.
template <typename Fold>
bool ClassMatches(std::string_view pattern, char c, Fold fold, std::string_view* rest) {
  const auto order = [&](char x) { return static_cast<unsigned char>(fold(x)); };
  size_t i = 0;
  const bool negated = i < pattern.size() && pattern[i] == '^';
  if (negated) ++i;
  bool matched = false;
  while (i < pattern.size() && pattern[i] != ']') {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      matched |= order(pattern[++i]) == order(c);
    } else if (i + 2 < pattern.size() && pattern[i + 1] == '-') {
      auto low = order(pattern[i]);
      auto high = order(pattern[i + 2]);
      if (low > high) std::swap(low, high);
      matched |= order(c) >= low && order(c) <= high;
      i += 2;
    } else {
      matched |= order(pattern[i]) == order(c);
    }
    ++i;
  }
  *rest = i < pattern.size() ? pattern.substr(i + 1) : std::string_view();
  return matched != negated;
}

/// Whether the pattern's next element, which is not '*', matches c.
template <typename Fold>
bool ElementMatches(std::string_view pattern, char c, Fold fold, std::string_view* rest) {
  *rest = pattern.substr(1);
  if (pattern[0] == '?') return true;
  if (pattern[0] == '[') return ClassMatches(*rest, c, fold, rest);
  if (pattern[0] == '\\' && pattern.size() >= 2) {
    *rest = pattern.substr(2);
    return fold(pattern[1]) == fold(c);
  }
  return fold(pattern[0]) == fold(c);
}

/// Only the latest '*' is ever tried again: what an earlier one could take, the latest one can take as well.
template <typename Fold>
bool Matches(std::string_view pattern, std::string_view text, Fold fold) {
  bool has_star = false;
  std::string_view after_star;
  std::string_view retry;
  while (!text.empty()) {
    std::string_view rest;
    if (!pattern.empty() && pattern[0] == '*') {
      has_star = true;
      after_star = pattern = pattern.substr(1);
      retry = text;
    } else if (!pattern.empty() && ElementMatches(pattern, text[0], fold, &rest)) {
      pattern = rest;
      text.remove_prefix(1);
    } else {
      if (!has_star) return false;
      retry.remove_prefix(1);
      pattern = after_star;
      text = retry;
    }
  }
  return pattern.find_first_not_of('*') == std::string_view::npos;
}

}  // namespace

bool GlobMatches(std::string_view pattern, std::string_view text) {
  return Matches(pattern, text, Exact());
}

bool GlobMatchesIgnoringCase(std::string_view pattern, std::string_view text) {
  return Matches(pattern, text, IgnoringCase());
}

}  // namespace orrery::commands

#include "types/wide_integer.h"

#include <algorithm>

#include "orrery/base/numbers.h"

namespace orrery::types {

std::string WideToText(Wide value) {
  std::string text;
  if (const int64_t narrow = ClampToInt64(value); narrow == value) {
    AppendInteger(narrow, &text);
    return text;
  }
  const bool negative = value < 0;
  for (; value != 0; value /= 10) {
    const auto digit = static_cast<int>(value % 10);
    text.push_back(static_cast<char>('0' + (negative ? -digit : digit)));
  }
  if (negative) text.push_back('-');
  std::reverse(text.begin(), text.end());
  return text;
}

Wide WideFromText(std::string_view text) {
  if (const auto narrow = ParseInteger(text)) return *narrow;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  Wide value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  return negative ? -value : value;
}

}  // namespace orrery::types

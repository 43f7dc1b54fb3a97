#include "orrery/base/numbers.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "orrery/base/check.h"

namespace orrery {
namespace {

constexpr size_t kLongDoubleTextMax = 5 * 1024;  // 4933 digits, a point, 17 more, and some room

bool IsBlank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

const char* InfinityText(bool negative) {
  return negative ? "-inf" : "inf";
}

/// strtod or strtold on NUL-terminated text, with Redis's idea of what is a number.
template <typename Float>
std::optional<Float> ParseWhole(const char* text, size_t size, Float (*parse)(const char*, char**)) {
  if (size == 0 || IsBlank(text[0])) return std::nullopt;
  char* end = nullptr;
  errno = 0;
  const Float value = parse(text, &end);
  if (static_cast<size_t>(end - text) != size || std::isnan(value)) return std::nullopt;
  if (errno == ERANGE && (std::isinf(value) || value == 0)) return std::nullopt;
  return value;
}

}  // namespace

size_t FormatInteger(int64_t value, char* out) {
  return static_cast<size_t>(std::to_chars(out, out + kIntegerTextMax, value).ptr - out);
}

void AppendInteger(int64_t value, std::string* out) {
  char text[kIntegerTextMax];
  out->append(text, FormatInteger(value, text));
}

std::string DoubleToText(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return InfinityText(value < 0);
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::general, 17).ptr;
  return std::string(text, end);
}

std::string LongDoubleToText(long double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return InfinityText(value < 0);
  char buffer[kLongDoubleTextMax];
  const int written = std::snprintf(buffer, sizeof(buffer), "%.17Lf", value);
  ORRERY_CHECK(written > 0 && static_cast<size_t>(written) < sizeof(buffer));
  std::string_view text(buffer, static_cast<size_t>(written));
  text = text.substr(0, text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.remove_suffix(1);
  return std::string(text == "-0" ? "0" : text);
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  if (text == "0") return 0;
  const std::string_view digits = text.substr(!text.empty() && text[0] == '-' ? 1 : 0);
  if (digits.empty() || digits[0] < '1' || digits[0] > '9') return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseDouble(std::string_view text) {
  // Plain decimals, nearly all there are, need no terminated copy. Whatever this does not read to its end as
  // a finite number (hexadecimal, a plus sign, out of range) is left to strtod.
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(value)) return value;
  const std::string terminated(text);
  return ParseWhole<double>(terminated.c_str(), terminated.size(), std::strtod);
}

std::optional<long double> ParseLongDouble(std::string_view text) {
  char terminated[kLongDoubleTextMax];
  if (text.empty() || text.size() >= sizeof(terminated)) return std::nullopt;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  return ParseWhole<long double>(terminated, text.size(), std::strtold);
}

}  // namespace orrery

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orrery {

// Numbers as Redis 7.0 reads and prints them. Clients compare these texts byte for byte, so every command
// that shows or takes a number uses them. Pure functions, any thread, independent of the locale except where
// strtod is (the process stays in the "C" locale). A parse fails as a whole: no blanks around, nothing left
// over.

/// Longest text of an int64_t, "-9223372036854775808".
inline constexpr size_t kIntegerTextMax = 20;

/// Writes the decimal text of value to out, which has room for kIntegerTextMax, and returns its length.
size_t FormatInteger(int64_t value, char* out);
void AppendInteger(int64_t value, std::string* out);

/// 17 significant digits as printf's %.17g (so 0.1 is "0.10000000000000001" and 3 is "3"), "inf", "-inf",
/// "nan".
std::string DoubleToText(double value);

/// INCRBYFLOAT's form: 17 digits after the point, trailing zeros and a bare point removed, never an exponent,
/// never
/// "-0"; "inf", "-inf", "nan".
std::string LongDoubleToText(long double value);

/// Only the canonical text of an int64_t: no plus sign, no leading zero, no "-0".
std::optional<int64_t> ParseInteger(std::string_view text);

/// What strtod reads (hexadecimal and "infinity" too), except: leading blanks, NaN, and texts whose value
/// overflows to infinity or underflows to zero.
std::optional<double> ParseDouble(std::string_view text);

/// As ParseDouble in 80-bit precision; texts of 5120 bytes and more are refused.
std::optional<long double> ParseLongDouble(std::string_view text);

}  // namespace orrery

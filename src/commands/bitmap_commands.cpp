// https://redis.io/commands/?group=bitmap, without BITFIELD, which has a file of its own.

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include "commands/command_families.h"
#include "commands/handler_support.h"

namespace orrery::commands {
namespace {

using types::KeyType;
using types::Lifetime;
using types::StringKey;

constexpr std::string_view kBadBitOffset = "ERR bit offset is not an integer or out of range";

std::optional<uint64_t> BitOffsetArg(CommandContext& context, size_t arg) {
  const auto offset = ParseInteger(context.arg(arg));
  if (!offset || *offset < 0 || static_cast<uint64_t>(*offset) / 8 >= kValueBytesMax) {
    context.reply.Error(kBadBitOffset);
    return std::nullopt;
  }
  return static_cast<uint64_t>(*offset);
}

bool BitAt(std::string_view value, uint64_t offset) {
  const uint64_t byte = offset / 8;
  if (byte >= value.size()) return false;
  return (static_cast<uint8_t>(value[byte]) >> (7 - offset % 8)) & 1;
}

void SetBit(CommandContext& context) {
  const auto offset = BitOffsetArg(context, 2);
  if (!offset) return;
  const auto bit = ParseInteger(context.arg(3));
  if (!bit || (*bit != 0 && *bit != 1))
    return context.reply.Error("ERR bit is not an integer or out of range");
  StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, KeyType::kString)) return;
  std::string value = key.exists() ? key.Value() : std::string();
  const bool old = BitAt(value, *offset);
  if (value.size() <= *offset / 8) value.resize(*offset / 8 + 1);
  const auto mask = static_cast<char>(1 << (7 - *offset % 8));
  char& byte = value[*offset / 8];
  byte = static_cast<char>(*bit == 1 ? byte | mask : byte & ~mask);
  key.Set(value, Lifetime::Keep());
  context.reply.Integer(old ? 1 : 0);
}

void GetBit(CommandContext& context) {
  const auto offset = BitOffsetArg(context, 2);
  if (!offset) return;
  const StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, KeyType::kString)) return;
  std::string scratch;
  context.reply.Integer(key.exists() && BitAt(key.Show(&scratch), *offset) ? 1 : 0);
}

// ---- ranges ----

struct BitRange {
  int64_t first = 0;
  int64_t last = -1;  // inclusive
  bool in_bits = false;
  bool empty = false;
};

// Turns what the client gave, which may count from the end, into bits of a value of that size.
void Resolve(size_t bytes, BitRange* range) {
  const int64_t total = static_cast<int64_t>(bytes) * (range->in_bits ? 8 : 1);
  range->first = std::max<int64_t>(range->first < 0 ? total + range->first : range->first, 0);
  range->last =
      std::min(std::max<int64_t>(range->last < 0 ? total + range->last : range->last, 0), total - 1);
  range->empty = range->first > range->last;
  if (range->in_bits) return;
  range->first *= 8;
  range->last = range->last * 8 + 7;
}

bool UnitArg(CommandContext& context, size_t arg, BitRange* range) {
  if (arg >= context.argc()) return true;
  range->in_bits = Is(context.arg(arg), "bit");
  if (range->in_bits || Is(context.arg(arg), "byte")) return true;
  context.reply.Error(kSyntaxError);
  return false;
}

int64_t CountBits(std::string_view value, const BitRange& range) {
  int64_t count = 0;
  for (int64_t bit = range.first; bit <= range.last;) {
    if (bit % 8 == 0 && bit + 7 <= range.last) {
      count += std::popcount(static_cast<uint8_t>(value[static_cast<size_t>(bit / 8)]));
      bit += 8;
    } else {
      count += BitAt(value, static_cast<uint64_t>(bit++)) ? 1 : 0;
    }
  }
  return count;
}

// False: an error was replied, or 0 for a range that is empty whatever its unit.
bool BitCountRange(CommandContext& context, BitRange* range) {
  if (context.argc() != 4 && context.argc() != 5) return context.reply.Error(kSyntaxError), false;
  const auto first = IntegerArg(context, 2);
  if (!first) return false;
  const auto last = IntegerArg(context, 3);
  if (!last) return false;
  if (*first < 0 && *last < 0 && *first > *last) return context.reply.Integer(0), false;
  range->first = *first;
  range->last = *last;
  return UnitArg(context, 4, range);
}

// Redis looks for the key before it looks at the range, here and in BITPOS.
void BitCount(CommandContext& context) {
  const StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, KeyType::kString)) return;
  if (!key.exists()) return context.reply.Integer(0);
  BitRange range;
  if (context.argc() != 2 && !BitCountRange(context, &range)) return;
  std::string scratch;
  const std::string_view value = key.Show(&scratch);
  Resolve(value.size(), &range);
  context.reply.Integer(range.empty ? 0 : CountBits(value, range));
}

int64_t FindBit(std::string_view value, const BitRange& range, bool wanted) {
  const auto skipped = static_cast<char>(wanted ? 0x00 : 0xff);
  for (int64_t bit = range.first; bit <= range.last;) {
    if (bit % 8 == 0 && bit + 7 <= range.last && value[static_cast<size_t>(bit / 8)] == skipped) {
      bit += 8;
    } else if (BitAt(value, static_cast<uint64_t>(bit)) == wanted) {
      return bit;
    } else {
      ++bit;
    }
  }
  return -1;
}

// False: an error was replied.
bool BitPosRange(CommandContext& context, BitRange* range) {
  if (context.argc() > 6) return context.reply.Error(kSyntaxError), false;
  if (context.argc() > 3) {
    const auto first = IntegerArg(context, 3);
    if (!first || !UnitArg(context, 5, range)) return false;
    range->first = *first;
  }
  if (context.argc() > 4) {
    const auto last = IntegerArg(context, 4);
    if (!last) return false;
    range->last = *last;
  }
  return true;
}

void BitPos(CommandContext& context) {
  const auto bit = IntegerArg(context, 2);
  if (!bit) return;
  if (*bit != 0 && *bit != 1) return context.reply.Error("ERR The bit argument must be 1 or 0.");
  const StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, KeyType::kString)) return;
  // An absent key is zeros without end.
  if (!key.exists()) return context.reply.Integer(*bit == 1 ? -1 : 0);
  BitRange range;
  if (!BitPosRange(context, &range)) return;
  std::string scratch;
  const std::string_view value = key.Show(&scratch);
  Resolve(value.size(), &range);
  if (range.empty) return context.reply.Integer(-1);
  const int64_t found = FindBit(value, range, *bit == 1);
  // A value of ones alone is followed by zeros, unless the client said where to end.
  const bool has_end = context.argc() > 4;
  if (found < 0 && *bit == 0 && !has_end)
    return context.reply.Integer(static_cast<int64_t>(value.size()) * 8);
  context.reply.Integer(found);
}

// ---- BITOP ----

enum class BitOperation : uint8_t { kAnd, kOr, kXor, kNot };

char Combine(BitOperation operation, char a, char b) {
  switch (operation) {
    case BitOperation::kAnd:
      return static_cast<char>(a & b);
    case BitOperation::kOr:
      return static_cast<char>(a | b);
    case BitOperation::kXor:
      return static_cast<char>(a ^ b);
    case BitOperation::kNot:
      break;
  }
  return static_cast<char>(~a);
}

std::optional<BitOperation> OperationArg(std::string_view arg) {
  if (Is(arg, "and")) return BitOperation::kAnd;
  if (Is(arg, "or")) return BitOperation::kOr;
  if (Is(arg, "xor")) return BitOperation::kXor;
  if (Is(arg, "not")) return BitOperation::kNot;
  return std::nullopt;
}

std::string Combined(BitOperation operation, const std::vector<std::string>& values, size_t size) {
  std::string result(size, '\0');
  const auto at = [](const std::string& value, size_t i) { return i < value.size() ? value[i] : '\0'; };
  for (size_t i = 0; i < size; ++i) {
    char byte = at(values[0], i);
    if (operation == BitOperation::kNot) byte = Combine(operation, byte, 0);
    for (size_t k = 1; k < values.size(); ++k) byte = Combine(operation, byte, at(values[k], i));
    result[i] = byte;
  }
  return result;
}

void BitOp(CommandContext& context) {
  const auto operation = OperationArg(context.arg(1));
  if (!operation) return context.reply.Error(kSyntaxError);
  if (*operation == BitOperation::kNot && context.argc() != 4) {
    return context.reply.Error("ERR BITOP NOT must be called with a single source key.");
  }
  std::vector<std::string> values;
  size_t size = 0;
  for (size_t i = 3; i < context.argc(); ++i) {
    const StringKey key = KeyAt(context, i);
    if (!TypeFits(context, key, KeyType::kString)) return;
    values.push_back(key.exists() ? key.Value() : std::string());
    size = std::max(size, values.back().size());
  }
  StringKey target = KeyAt(context, 2);
  if (size == 0) {
    target.Remove();
  } else {
    target.Set(Combined(*operation, values, size), Lifetime::Forever());
  }
  context.reply.Integer(static_cast<int64_t>(size));
}

constexpr CommandSpec kSpecs[] = {
    Keyed("bitcount", -2, kReadonly, kFirstKey, BitCount, "bitmap", "2.6.0", "O(N) with N bytes of the value",
          "How many bits are set"),
    LooksUp(With(Keyed("bitop", -4, kWrite | kDenyOom, {2, -1, 1}, BitOp, "bitmap", "2.6.0",
                       "O(N) with N bytes of the values", "Combines values bit by bit"),
                 Spread::kGather)),
    Keyed("bitpos", -3, kReadonly, kFirstKey, BitPos, "bitmap", "2.8.7", "O(N) with N bytes of the value",
          "The first bit that is set, or clear"),
    Keyed("getbit", 3, kReadonly | kFast, kFirstKey, GetBit, "bitmap", "2.2.0", "O(1)", "One bit of a value"),
    Keyed("setbit", 4, kWrite | kDenyOom, kFirstKey, SetBit, "bitmap", "2.2.0",
          "O(N) with N bytes of the value", "Sets or clears one bit of a value"),
};

}  // namespace

std::span<const CommandSpec> BitmapCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

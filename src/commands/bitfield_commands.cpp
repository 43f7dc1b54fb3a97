// BITFIELD and BITFIELD_RO: https://redis.io/commands/bitfield/

#include <algorithm>
#include <string>
#include <vector>

#include "commands/command_families.h"
#include "commands/handler_support.h"

namespace orrery::commands {
namespace {

__extension__ using Wide = __int128;

using types::Lifetime;
using types::StringKey;

struct FieldType {
  bool is_signed = false;
  int bits = 0;

  Wide Min() const { return is_signed ? -(static_cast<Wide>(1) << (bits - 1)) : 0; }
  Wide Max() const { return (static_cast<Wide>(1) << (is_signed ? bits - 1 : bits)) - 1; }
};

enum class Action : uint8_t { kGet, kSet, kIncrement };
enum class Overflow : uint8_t { kWrap, kSaturate, kFail };

struct FieldOperation {
  Action action = Action::kGet;
  Overflow overflow = Overflow::kWrap;
  FieldType type;
  uint64_t offset = 0;
  int64_t operand = 0;
};

bool ParseType(CommandContext& context, std::string_view arg, FieldType* type) {
  const bool named = !arg.empty() && (arg[0] == 'i' || arg[0] == 'u');
  const auto bits = named ? ParseInteger(arg.substr(1)) : std::nullopt;
  type->is_signed = named && arg[0] == 'i';
  if (!bits || *bits < 1 || *bits > (type->is_signed ? 64 : 63)) {
    context.reply.Error(
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.");
    return false;
  }
  type->bits = static_cast<int>(*bits);
  return true;
}

// "#3" counts in fields of the type.
bool ParseOffset(CommandContext& context, std::string_view arg, const FieldType& type, uint64_t* offset) {
  const bool in_fields = arg.starts_with('#');
  const auto number = ParseInteger(in_fields ? arg.substr(1) : arg);
  int64_t bits = number.value_or(-1);
  const bool overflows = in_fields && __builtin_mul_overflow(bits, type.bits, &bits);
  if (!number || overflows || bits < 0 || static_cast<uint64_t>(bits) / 8 >= kValueBytesMax) {
    context.reply.Error("ERR bit offset is not an integer or out of range");
    return false;
  }
  *offset = static_cast<uint64_t>(bits);
  return true;
}

bool ParseOverflow(CommandContext& context, std::string_view arg, Overflow* overflow) {
  if (Is(arg, "wrap")) return *overflow = Overflow::kWrap, true;
  if (Is(arg, "sat")) return *overflow = Overflow::kSaturate, true;
  if (Is(arg, "fail")) return *overflow = Overflow::kFail, true;
  context.reply.Error("ERR Invalid OVERFLOW type specified");
  return false;
}

bool ParseOne(CommandContext& context, size_t* arg, Overflow* overflow,
              std::vector<FieldOperation>* operations) {
  const size_t left = context.argc() - *arg;
  const std::string_view name = context.arg(*arg);
  if (Is(name, "overflow") && left >= 2) {
    *arg += 2;
    return ParseOverflow(context, context.arg(*arg - 1), overflow);
  }
  FieldOperation operation;
  size_t size = 4;
  if (Is(name, "get")) {
    size = 3;
  } else if (Is(name, "set")) {
    operation.action = Action::kSet;
  } else if (Is(name, "incrby")) {
    operation.action = Action::kIncrement;
  } else {
    size = left + 1;
  }
  if (left < size) return context.reply.Error(kSyntaxError), false;
  if (!ParseType(context, context.arg(*arg + 1), &operation.type)) return false;
  if (!ParseOffset(context, context.arg(*arg + 2), operation.type, &operation.offset)) return false;
  if (size == 4) {
    const auto operand = IntegerArg(context, *arg + 3);
    if (!operand) return false;
    operation.operand = *operand;
  }
  operation.overflow = *overflow;
  operations->push_back(operation);
  *arg += size;
  return true;
}

bool ParseAll(CommandContext& context, std::vector<FieldOperation>* operations) {
  Overflow overflow = Overflow::kWrap;
  for (size_t arg = 2; arg < context.argc();) {
    if (!ParseOne(context, &arg, &overflow, operations)) return false;
  }
  return true;
}

bool OnlyReads(const std::vector<FieldOperation>& operations) {
  return std::all_of(operations.begin(), operations.end(),
                     [](const FieldOperation& operation) { return operation.action == Action::kGet; });
}

int64_t ReadField(const std::string& value, const FieldType& type, uint64_t offset) {
  uint64_t raw = 0;
  for (int i = 0; i < type.bits; ++i) {
    const uint64_t bit = offset + static_cast<uint64_t>(i);
    const bool set = bit / 8 < value.size() && ((static_cast<uint8_t>(value[bit / 8]) >> (7 - bit % 8)) & 1);
    raw = (raw << 1) | (set ? 1 : 0);
  }
  if (type.is_signed && type.bits < 64 && (raw >> (type.bits - 1)) & 1) raw |= ~uint64_t{0} << type.bits;
  return static_cast<int64_t>(raw);
}

void WriteField(const FieldType& type, uint64_t offset, int64_t field, std::string* value) {
  for (int i = 0; i < type.bits; ++i) {
    const uint64_t bit = offset + static_cast<uint64_t>(i);
    const auto mask = static_cast<char>(1 << (7 - bit % 8));
    const bool set = (static_cast<uint64_t>(field) >> (type.bits - 1 - i)) & 1;
    char& byte = (*value)[bit / 8];
    byte = static_cast<char>(set ? byte | mask : byte & ~mask);
  }
}

// What is stored of a number that may not fit; nullopt: nothing is.
std::optional<int64_t> Fit(Wide number, const FieldType& type, Overflow overflow) {
  if (number >= type.Min() && number <= type.Max()) return static_cast<int64_t>(number);
  if (overflow == Overflow::kFail) return std::nullopt;
  if (overflow == Overflow::kSaturate)
    return static_cast<int64_t>(number < type.Min() ? type.Min() : type.Max());
  const Wide span = static_cast<Wide>(1) << type.bits;
  Wide wrapped = number % span;
  if (wrapped < type.Min()) wrapped += span;
  if (wrapped > type.Max()) wrapped -= span;
  return static_cast<int64_t>(wrapped);
}

// What is to be stored, before it is made to fit. A negative number for an unsigned field is a very large
// one.
Wide NewNumber(const FieldOperation& operation, int64_t old) {
  if (operation.action == Action::kIncrement) return static_cast<Wide>(old) + operation.operand;
  return operation.type.is_signed ? static_cast<Wide>(operation.operand)
                                  : static_cast<uint64_t>(operation.operand);
}

// Whatever is written or fails to be, the value reaches as far as the operations do.
uint64_t BytesReached(const std::vector<FieldOperation>& operations) {
  uint64_t bytes = 0;
  for (const FieldOperation& operation : operations) {
    const uint64_t last_bit = operation.offset + static_cast<uint64_t>(operation.type.bits) - 1;
    if (operation.action != Action::kGet) bytes = std::max(bytes, last_bit / 8 + 1);
  }
  return bytes;
}

// Replies for one operation. Whether it wrote.
bool RunOne(CommandContext& context, const FieldOperation& operation, std::string* value) {
  const int64_t old = ReadField(*value, operation.type, operation.offset);
  if (operation.action == Action::kGet) return context.reply.Integer(old), false;
  const auto field = Fit(NewNumber(operation, old), operation.type, operation.overflow);
  if (!field) return context.reply.Null(), false;
  WriteField(operation.type, operation.offset, *field, value);
  context.reply.Integer(operation.action == Action::kIncrement ? *field : old);
  return true;
}

void Run(CommandContext& context, bool read_only) {
  std::vector<FieldOperation> operations;
  if (!ParseAll(context, &operations)) return;
  if (read_only && !OnlyReads(operations)) {
    return context.reply.Error("ERR BITFIELD_RO only supports the GET subcommand");
  }
  if (!OnlyReads(operations)) context.lookups = nullptr;
  StringKey key = KeyAt(context, 1);
  if (!TypeFits(context, key, types::KeyType::kString)) return;
  std::string value = key.exists() ? key.Value() : std::string();
  const uint64_t bytes = BytesReached(operations);
  bool changed = value.size() < bytes;
  if (changed) value.resize(bytes);
  context.reply.Array(operations.size());
  for (const FieldOperation& operation : operations) changed = RunOne(context, operation, &value) || changed;
  if (changed) key.Set(value, Lifetime::Keep());
}
void BitField(CommandContext& context) {
  Run(context, false);
}
void BitFieldRo(CommandContext& context) {
  Run(context, true);
}

constexpr CommandSpec kSpecs[] = {
    LooksUp(Keyed("bitfield", -2, kWrite | kDenyOom, kFirstKey, BitField, "bitmap", "3.2.0",
                  "O(N) with N bytes of the value", "Reads and changes integers inside a value")),
    Keyed("bitfield_ro", -2, kReadonly | kFast, kFirstKey, BitFieldRo, "bitmap", "6.0.0",
          "O(N) with N bytes of the value", "Reads integers inside a value"),
};

}  // namespace

std::span<const CommandSpec> BitfieldCommands() {
  return kSpecs;
}

}  // namespace orrery::commands

#pragma once

#include <random>
#include <string>

#include "orrery/resp/value.h"

namespace orrery::resp {

/// Makes random replies of every type; text of the types that are lines has no line breaks.
class RandomValues {
 public:
  explicit RandomValues(uint32_t seed) : random_(seed) {}

  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }

  Value Next(int depth = 4) {
    Value value = Below(depth > 0 ? 3 : 1) == 0 || depth == 0 ? Leaf() : Aggregate(depth - 1);
    if (depth > 0 && Below(8) == 0) value.set_attributes(Elements(2 * (1 + Below(2)), depth - 1));
    return value;
  }

 private:
  Value Leaf() {
    switch (Below(10)) {
      case 0:
        return Value::Null();
      case 1:
        return Value::SimpleString(Text(false));
      case 2:
        return Value::Error(Text(false));
      case 3:
        return Value::Text(Value::Type::kBlobError, Text(true));
      case 4:
        return Value::Text(Value::Type::kVerbatim, "txt:" + Text(true));
      case 5:
        return Value::Text(Value::Type::kBigNumber, "-1" + std::string(Below(60), '7'));
      case 6:
        return Value::Integer(static_cast<int64_t>(random_()) >> Below(64));
      case 7:
        return Value::Double(static_cast<double>(static_cast<int64_t>(random_())) / (1 + Below(1000)));
      case 8:
        return Value::Bool(Below(2) == 0);
      default:
        return Value::BulkString(Text(true));
    }
  }

  Value Aggregate(int depth) {
    switch (Below(4)) {
      case 0:
        return Value::Aggregate(Value::Type::kMap, Elements(2 * Below(4), depth));
      case 1:
        return Value::Aggregate(Value::Type::kSet, Elements(Below(6), depth));
      case 2:
        return Value::Aggregate(Value::Type::kPush, Elements(Below(6), depth));
      default:
        return Value::Array(Elements(Below(6), depth));
    }
  }

  Value::List Elements(uint32_t n, int depth) {
    Value::List elements;
    for (uint32_t i = 0; i < n; ++i) elements.push_back(Next(depth));
    return elements;
  }

  std::string Text(bool any_byte) {
    std::string text(Below(Below(20) == 0 ? 5000 : 12), '\0');
    for (char& c : text) c = any_byte ? static_cast<char>(random_()) : static_cast<char>(' ' + Below(95));
    return text;
  }

  std::mt19937_64 random_;
};

}  // namespace orrery::resp

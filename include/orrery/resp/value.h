#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "orrery/resp/reply_writer.h"

namespace orrery::resp {

/// One reply as a tree: every type of RESP2 and RESP3 except streamed ones. A value type; any thread, one at
/// a time. A RESP2 reply says less than its RESP3 twin (a map comes as an array), so values compare equal
/// only within one protocol.
class Value {
 public:
  enum class Type : uint8_t {
    kNull,       ///< "$-1" and "_"
    kNullArray,  ///< "*-1"
    kSimpleString,
    kError,
    kBlobError,
    kBulkString,
    kVerbatim,
    kBigNumber,
    kInteger,
    kDouble,
    kBool,
    kArray,
    kMap,
    kSet,
    kPush,
  };
  using List = std::vector<Value>;

  Value() = default;
  static Value Null() { return Value(); }
  static Value NullArray();
  /// type: one of the string types. A verbatim's text starts with its extension and a colon, "txt:...".
  static Value Text(Type type, std::string text);
  static Value SimpleString(std::string text) { return Text(Type::kSimpleString, std::move(text)); }
  static Value Error(std::string text) { return Text(Type::kError, std::move(text)); }
  static Value BulkString(std::string bytes) { return Text(Type::kBulkString, std::move(bytes)); }
  static Value Integer(int64_t value);
  static Value Double(double value);
  static Value Bool(bool value);
  /// type: one of the aggregates. A map's elements alternate between keys and values.
  static Value Aggregate(Type type, List elements);
  static Value Array(List elements) { return Aggregate(Type::kArray, std::move(elements)); }

  Type type() const { return type_; }
  bool is_null() const { return type_ == Type::kNull || type_ == Type::kNullArray; }
  bool is_error() const { return type_ == Type::kError || type_ == Type::kBlobError; }
  bool is_text() const { return std::holds_alternative<std::string>(payload_); }
  bool is_aggregate() const { return std::holds_alternative<List>(payload_); }

  /// Empty unless is_text(). Of a verbatim: without its extension.
  std::string_view text() const;
  /// "txt" or "mkd" of a verbatim, else empty.
  std::string_view extension() const;
  /// REQUIRES: that type, for these three.
  int64_t integer() const { return std::get<int64_t>(payload_); }
  double number() const { return std::get<double>(payload_); }
  bool boolean() const { return std::get<bool>(payload_); }
  /// REQUIRES: is_aggregate().
  const List& elements() const { return std::get<List>(payload_); }
  List& elements() { return std::get<List>(payload_); }

  /// RESP3 remarks on this value, keys and values alternating.
  const List& attributes() const { return attributes_; }
  void set_attributes(List attributes) { attributes_ = std::move(attributes); }

  bool operator==(const Value&) const = default;

 private:
  using Payload = std::variant<std::monostate, int64_t, double, bool, std::string, List>;
  Value(Type type, Payload payload);

  Type type_ = Type::kNull;
  Payload payload_;
  List attributes_;
};

/// Writes the tree in the writer's protocol.
void WriteValue(const Value& value, ReplyWriter* writer);

}  // namespace orrery::resp

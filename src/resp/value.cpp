#include "orrery/resp/value.h"

#include "orrery/base/check.h"

namespace orrery::resp {
namespace {

constexpr size_t kExtensionSize = 3;

void WriteHeader(const Value& value, ReplyWriter* writer) {
  const size_t n = value.elements().size();
  switch (value.type()) {
    case Value::Type::kMap:
      return writer->Map(n / 2);
    case Value::Type::kSet:
      return writer->Set(n);
    case Value::Type::kPush:
      return writer->Push(n);
    default:
      return writer->Array(n);
  }
}

void WriteAggregate(const Value& value, ReplyWriter* writer) {
  WriteHeader(value, writer);
  for (const Value& element : value.elements()) WriteValue(element, writer);
}

}  // namespace

Value::Value(Type type, Payload payload) : type_(type), payload_(std::move(payload)) {}

Value Value::NullArray() {
  return Value(Type::kNullArray, std::monostate());
}

Value Value::Integer(int64_t value) {
  return Value(Type::kInteger, value);
}

Value Value::Double(double value) {
  return Value(Type::kDouble, value);
}

Value Value::Bool(bool value) {
  return Value(Type::kBool, value);
}

Value Value::Text(Type type, std::string text) {
  ORRERY_CHECK(type >= Type::kSimpleString && type <= Type::kBigNumber);
  ORRERY_CHECK(type != Type::kVerbatim || (text.size() > kExtensionSize && text[kExtensionSize] == ':'));
  return Value(type, std::move(text));
}

Value Value::Aggregate(Type type, List elements) {
  ORRERY_CHECK(type >= Type::kArray);
  ORRERY_CHECK(type != Type::kMap || elements.size() % 2 == 0);
  return Value(type, std::move(elements));
}

std::string_view Value::text() const {
  const std::string* text = std::get_if<std::string>(&payload_);
  if (text == nullptr) return {};
  return std::string_view(*text).substr(type_ == Type::kVerbatim ? kExtensionSize + 1 : 0);
}

std::string_view Value::extension() const {
  if (type_ != Type::kVerbatim) return {};
  return std::string_view(std::get<std::string>(payload_)).substr(0, kExtensionSize);
}

void WriteValue(const Value& value, ReplyWriter* writer) {
  if (!value.attributes().empty() && writer->Attribute(value.attributes().size() / 2)) {
    for (const Value& attribute : value.attributes()) WriteValue(attribute, writer);
  }
  switch (value.type()) {
    case Value::Type::kNull:
      return writer->Null();
    case Value::Type::kNullArray:
      return writer->NullArray();
    case Value::Type::kSimpleString:
      return writer->SimpleString(value.text());
    case Value::Type::kError:
      return writer->Error(value.text());
    case Value::Type::kBlobError:
      return writer->BlobError(value.text());
    case Value::Type::kBulkString:
      return writer->BulkString(value.text());
    case Value::Type::kVerbatim:
      return writer->Verbatim(value.extension(), value.text());
    case Value::Type::kBigNumber:
      return writer->BigNumber(value.text());
    case Value::Type::kInteger:
      return writer->Integer(value.integer());
    case Value::Type::kDouble:
      return writer->Double(value.number());
    case Value::Type::kBool:
      return writer->Bool(value.boolean());
    case Value::Type::kArray:
    case Value::Type::kMap:
    case Value::Type::kSet:
    case Value::Type::kPush:
      return WriteAggregate(value, writer);
  }
}

}  // namespace orrery::resp

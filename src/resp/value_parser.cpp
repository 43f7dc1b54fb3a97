#include "orrery/resp/value_parser.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "orrery/resp/numbers.h"

namespace orrery::resp {
namespace {

/// More than this is not reserved on a header's word.
constexpr uint64_t kReservedMax = 64;

Value::Type AggregateType(char type) {
  switch (type) {
    case '%':
      return Value::Type::kMap;
    case '~':
      return Value::Type::kSet;
    case '>':
      return Value::Type::kPush;
    default:
      return Value::Type::kArray;
  }
}

std::optional<Value> IntegerValue(std::string_view text) {
  const bool plus = text.size() > 1 && text[0] == '+' && text[1] != '-';
  const std::optional<int64_t> value = ParseInteger(text.substr(plus ? 1 : 0));
  if (!value) return std::nullopt;
  return Value::Integer(*value);
}

std::optional<Value> DoubleValue(std::string_view text) {
  if (text == "nan") return Value::Double(std::numeric_limits<double>::quiet_NaN());
  const std::optional<double> value = ParseDouble(text);
  if (!value) return std::nullopt;
  return Value::Double(*value);
}

std::optional<Value> BoolValue(std::string_view text) {
  if (text != "t" && text != "f") return std::nullopt;
  return Value::Bool(text == "t");
}

std::optional<Value> BigNumberValue(std::string_view text) {
  const std::string_view digits = text.substr(!text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0);
  const bool all_digits =
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits.empty() || !all_digits) return std::nullopt;
  return Value::Text(Value::Type::kBigNumber, std::string(text));
}

std::optional<Value> VerbatimValue(std::string_view text) {
  if (text.size() < 4 || text[3] != ':') return std::nullopt;
  return Value::Text(Value::Type::kVerbatim, std::string(text));
}

std::optional<Value> NullValue(const ReplyToken& token) {
  if (token.type == '*') return Value::NullArray();
  if (!token.text.empty()) return std::nullopt;
  return Value::Null();
}

/// A token that is a whole value: anything but an aggregate with elements. Nothing if its text is malformed.
std::optional<Value> WholeValue(const ReplyToken& token) {
  if (token.is_null) return NullValue(token);
  if (token.is_aggregate) return Value::Aggregate(AggregateType(token.type), {});
  switch (token.type) {
    case '+':
      return Value::SimpleString(std::string(token.text));
    case '-':
      return Value::Error(std::string(token.text));
    case '!':
      return Value::Text(Value::Type::kBlobError, std::string(token.text));
    case '$':
      return Value::BulkString(std::string(token.text));
    case '=':
      return VerbatimValue(token.text);
    case ':':
      return IntegerValue(token.text);
    case ',':
      return DoubleValue(token.text);
    case '#':
      return BoolValue(token.text);
    case '(':
      return BigNumberValue(token.text);
    default:
      return std::nullopt;
  }
}

}  // namespace

ValueParser::Outcome ValueParser::Next(InputBuffer* input, Value* value) {
  size_t consumed = 0;
  const Outcome outcome = Parse(input->view(), &consumed, value);
  input->Consume(consumed);
  return outcome;
}

ValueParser::Outcome ValueParser::Parse(std::string_view input, size_t* consumed, Value* value) {
  if (!error_.empty()) return Outcome::kError;
  ReplyToken token;
  while (true) {
    const auto outcome = reader_.Read(input.substr(*consumed), limits_, &token);
    if (outcome == ReplyTokenReader::Outcome::kIncomplete) return Outcome::kIncomplete;
    if (outcome == ReplyTokenReader::Outcome::kError) return Fail("malformed reply");
    *consumed += token.bytes;
    if (token.is_aggregate && token.count > 0) {
      if (!Open(token)) return Fail("reply nested too deeply");
      continue;
    }
    if (token.type == '|') continue;  // no attributes after all
    std::optional<Value> whole = WholeValue(token);
    if (!whole) return Fail(std::string("malformed reply of type '") + token.type + "'");
    whole->set_attributes(std::exchange(attributes_, {}));
    if (Close(std::move(*whole), value)) return Outcome::kValue;
  }
}

/// An aggregate begins: its elements are next.
bool ValueParser::Open(const ReplyToken& token) {
  if (open_.size() >= static_cast<size_t>(limits_.depth_max)) return false;
  Frame frame{AggregateType(token.type), token.type == '|', token.count, {}, {}};
  // Attributes that follow attributes belong to the same value.
  (frame.is_attribute ? frame.elements : frame.attributes) = std::exchange(attributes_, {});
  frame.elements.reserve(frame.elements.size() + std::min(token.count, kReservedMax));
  open_.push_back(std::move(frame));
  return true;
}

/// A value is complete, and with it perhaps the aggregates that it ends. True if that ends the reply.
bool ValueParser::Close(Value value, Value* out) {
  while (!open_.empty()) {
    Frame& frame = open_.back();
    frame.elements.push_back(std::move(value));
    if (--frame.left > 0) return false;
    if (frame.is_attribute) {
      attributes_ = std::move(frame.elements);
      open_.pop_back();
      return false;
    }
    value = Value::Aggregate(frame.type, std::move(frame.elements));
    value.set_attributes(std::move(frame.attributes));
    open_.pop_back();
  }
  *out = std::move(value);
  return true;
}

ValueParser::Outcome ValueParser::Fail(std::string error) {
  error_ = std::move(error);
  open_.clear();
  attributes_.clear();
  return Outcome::kError;
}

Result<Value> ParseValue(std::string_view bytes, ReplyLimits limits) {
  ValueParser parser(limits);
  Value value;
  size_t consumed = 0;
  switch (parser.Parse(bytes, &consumed, &value)) {
    case ValueParser::Outcome::kError:
      return Status::Invalid(parser.error());
    case ValueParser::Outcome::kIncomplete:
      return Status::Invalid("incomplete reply");
    case ValueParser::Outcome::kValue:
      break;
  }
  if (consumed != bytes.size()) return Status::Invalid("bytes after the reply");
  return value;
}

}  // namespace orrery::resp

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "orrery/base/status.h"
#include "orrery/resp/input_buffer.h"
#include "orrery/resp/reply_token.h"
#include "orrery/resp/value.h"

namespace orrery::resp {

/// Builds Values from a stream of replies, RESP2 or RESP3, input split anywhere. Bytes are consumed piece by
/// piece, so the buffer holds at most one line or blob; memory grows with what has arrived, not with what
/// headers announce. Stricter than the request parser: line ends, numbers, booleans and nulls must be exact.
/// Streamed types are refused. One stream's, used on its loop's thread.
class ValueParser {
 public:
  enum class Outcome : uint8_t {
    kValue,
    kIncomplete,  ///< needs more input
    kError,       ///< see error(); the parser stays in this state
  };

  explicit ValueParser(ReplyLimits limits = {}) : limits_(limits) {}

  /// The next reply of the stream. Pushes come in between as values of their own.
  Outcome Next(InputBuffer* input, Value* value);
  /// After kIncomplete: how many bytes are certainly still to come; for InputBuffer::Prepare.
  size_t bytes_wanted() const { return reader_.bytes_wanted(); }
  const std::string& error() const { return error_; }

 private:
  friend Result<Value> ParseValue(std::string_view bytes, ReplyLimits limits);

  /// An aggregate whose elements are arriving. Attributes are one, too, until they are handed to their value.
  struct Frame {
    Value::Type type;
    bool is_attribute;
    uint64_t left;
    Value::List elements;
    Value::List attributes;  ///< of the aggregate itself
  };

  Outcome Parse(std::string_view input, size_t* consumed, Value* value);
  bool Open(const ReplyToken& token);
  bool Close(Value value, Value* out);
  Outcome Fail(std::string error);

  ReplyLimits limits_;
  ReplyTokenReader reader_;
  std::vector<Frame> open_;
  Value::List attributes_;  ///< read and waiting for their value
  std::string error_;
};

/// Parses bytes that are exactly one complete reply; kInvalid otherwise.
Result<Value> ParseValue(std::string_view bytes, ReplyLimits limits = {});

}  // namespace orrery::resp

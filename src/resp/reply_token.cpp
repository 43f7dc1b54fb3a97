#include "orrery/resp/reply_token.h"

#include <cstring>
#include <limits>
#include <optional>

#include "orrery/resp/numbers.h"

namespace orrery::resp {
namespace {

using Outcome = ReplyTokenReader::Outcome;

constexpr int64_t kElementsMax = std::numeric_limits<uint32_t>::max();

bool IsLine(char type) {
  return std::strchr("+-:_#,(", type) != nullptr && type != '\0';
}
bool IsBlob(char type) {
  return type == '$' || type == '=' || type == '!';
}
bool IsPairs(char type) {
  return type == '%' || type == '|';
}
bool IsAggregate(char type) {
  return type == '*' || type == '~' || type == '>' || IsPairs(type);
}

Outcome ReadAggregate(int64_t count, ReplyToken* token) {
  token->is_aggregate = true;
  if (count == -1 && token->type == '*') {
    token->is_aggregate = false;
    token->is_null = true;
    return Outcome::kDone;
  }
  if (count < 0 || count > kElementsMax) return Outcome::kError;
  token->count = static_cast<uint64_t>(count) * (IsPairs(token->type) ? 2 : 1);
  return Outcome::kDone;
}

}  // namespace

Outcome ReplyTokenReader::Read(std::string_view input, const ReplyLimits& limits, ReplyToken* token) {
  bytes_wanted_ = 0;
  if (input.empty()) return Outcome::kIncomplete;
  const char type = input[0];
  if (!IsLine(type) && !IsBlob(type) && !IsAggregate(type)) return Outcome::kError;
  const size_t end = input.find('\r', scanned_);
  scanned_ = end == std::string_view::npos ? input.size() : end;
  if (scanned_ > limits.line_bytes_max) return Outcome::kError;
  if (scanned_ + 2 > input.size()) return Outcome::kIncomplete;
  if (input[scanned_ + 1] != '\n') return Outcome::kError;

  *token = ReplyToken();
  token->type = type;
  token->text = input.substr(1, scanned_ - 1);
  token->bytes = scanned_ + 2;
  if (IsLine(type)) {
    token->is_null = type == '_';
    scanned_ = 0;
    return Outcome::kDone;
  }
  const std::optional<int64_t> length = ParseInteger(token->text);
  if (!length) return Outcome::kError;
  if (IsBlob(type)) return ReadBlob(input, *length, limits, token);
  scanned_ = 0;
  return ReadAggregate(*length, token);
}

Outcome ReplyTokenReader::ReadBlob(std::string_view input, int64_t length, const ReplyLimits& limits,
                                   ReplyToken* token) {
  const size_t start = token->bytes;
  if (length == -1 && token->type == '$') {
    token->is_null = true;
    token->text = {};
    scanned_ = 0;
    return Outcome::kDone;
  }
  if (length < 0 || static_cast<uint64_t>(length) > limits.bulk_bytes_max) return Outcome::kError;
  const size_t size = static_cast<size_t>(length);
  token->bytes = start + size + 2;
  if (input.size() < token->bytes) {
    bytes_wanted_ = token->bytes - input.size();
    return Outcome::kIncomplete;
  }
  if (input.compare(start + size, 2, "\r\n") != 0) return Outcome::kError;
  token->text = input.substr(start, size);
  scanned_ = 0;
  return Outcome::kDone;
}

}  // namespace orrery::resp

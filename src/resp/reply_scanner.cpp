#include "orrery/resp/reply_scanner.h"

namespace orrery::resp {

ReplyScanner::Outcome ReplyScanner::Scan(std::string_view input) {
  if (broken_) return Outcome::kError;
  if (pending_ == 0) {
    pending_ = 1;
    at_ = 0;
  }
  ReplyToken token;
  while (pending_ > 0) {
    const auto outcome = reader_.Read(input.substr(at_), limits_, &token);
    if (outcome == ReplyTokenReader::Outcome::kIncomplete) return Outcome::kIncomplete;
    // A sum of counts can only run over after gigabytes of headers that promise elements and bring none.
    broken_ = outcome == ReplyTokenReader::Outcome::kError || pending_ + token.count < pending_;
    if (broken_) return Outcome::kError;
    at_ += token.bytes;
    pending_ += token.count;
    // Attributes are not the reply: that one is still to come.
    if (token.type != '|') --pending_;
  }
  return Outcome::kComplete;
}

ElementWalker::ElementWalker(std::string_view reply, ReplyLimits limits) : rest_(reply), limits_(limits) {
  ReplyTokenReader reader;
  ReplyToken token;
  uint64_t skipped = 0;  // replies that belong to attributes
  while (true) {
    if (reader.Read(rest_, limits_, &token) != ReplyTokenReader::Outcome::kDone) return;
    if (skipped == 0 && token.type != '|') break;
    if (token.type != '|') --skipped;
    skipped += token.count;
    rest_.remove_prefix(token.bytes);
  }
  type_ = token.type;
  is_aggregate_ = token.is_aggregate;
  count_ = left_ = token.count;
  rest_.remove_prefix(token.bytes);
}

std::optional<std::string_view> ElementWalker::Next() {
  if (left_ == 0) return std::nullopt;
  ReplyScanner scanner(limits_);
  if (scanner.Scan(rest_) != ReplyScanner::Outcome::kComplete) {
    left_ = 0;
    return std::nullopt;
  }
  --left_;
  const std::string_view element = rest_.substr(0, scanner.reply_bytes());
  rest_.remove_prefix(element.size());
  return element;
}

}  // namespace orrery::resp

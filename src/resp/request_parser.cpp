#include "orrery/resp/request_parser.h"

#include <algorithm>
#include <cstring>

#include "orrery/resp/numbers.h"
#include "resp/inline_splitter.h"

namespace orrery::resp {
namespace {

/// Argument tables up to this size are kept from command to command.
constexpr size_t kKeptArguments = 1024;

/// Reads "<type><count>\r?" at p if it is all there and plain: one to nine digits without a leading zero.
/// Returns the position after it, or nullptr to leave the line to the thorough way.
const char* QuickCount(const char* p, const char* end, int64_t* count) {
  constexpr ptrdiff_t kLineMin = 4;  // type, digit, CR, LF
  if (end - p < kLineMin) return nullptr;
  const char* digits = ++p;
  uint32_t value = 0;
  for (; p != end && *p >= '0' && *p <= '9'; ++p) {
    if (p - digits == 9) return nullptr;
    value = value * 10 + static_cast<uint32_t>(*p - '0');
  }
  const ptrdiff_t length = p - digits;
  if (length == 0 || (*digits == '0' && length > 1) || end - p < 2 || *p != '\r') return nullptr;
  *count = value;
  return p + 2;
}

}  // namespace

RequestParser::Outcome RequestParser::Next(InputBuffer* input, Command* command) {
  bytes_wanted_ = 0;
  while (true) {
    if (phase_ == Phase::kBroken) return failure_;
    if (phase_ == Phase::kStart) {
      if (input->empty()) return Outcome::kIncomplete;
      DropLargeTables();
      args_.clear();
      pieces_.clear();
      at_ = scanned_ = 0;
      phase_ = *input->data() == '*' ? Phase::kMultibulk : Phase::kInline;
    }
    const Step step = ParseRequest(input);
    if (step == Step::kIncomplete) return Outcome::kIncomplete;
    if (step == Step::kFailed) return failure_;
    Fill(input->view(), command);
    input->Consume(at_);
    phase_ = Phase::kStart;
    if (!command->args.empty()) return Outcome::kCommand;
  }
}

size_t RequestParser::memory_bytes() const {
  return pieces_.capacity() * sizeof(Piece) + args_.capacity() * sizeof(std::string_view);
}

void RequestParser::ShrinkIfIdle() {
  if (phase_ == Phase::kStart) DropLargeTables();
}

void RequestParser::DropLargeTables() {
  if (args_.capacity() > kKeptArguments) args_ = std::vector<std::string_view>();
  if (pieces_.capacity() > kKeptArguments) pieces_ = std::vector<Piece>();
}

/// The command is complete: pieces become views (an inline request has made its views itself).
void RequestParser::Fill(std::string_view in, Command* command) {
  args_.reserve(pieces_.size());
  for (const Piece& piece : pieces_) args_.emplace_back(in.data() + piece.offset, piece.size);
  command->args = args_;
  command->raw = in.substr(0, at_);
  command->is_inline = phase_ == Phase::kInline;
}

RequestParser::Step RequestParser::ParseRequest(InputBuffer* input) {
  if (phase_ == Phase::kInline) return ParseInline(input);
  if (phase_ == Phase::kMultibulk) {
    const Step step = ParseMultibulk(input->view());
    if (step != Step::kDone) return step;
    phase_ = Phase::kBulk;
  }
  return ParseArguments(input->view());
}

RequestParser::Step RequestParser::ParseInline(InputBuffer* input) {
  const std::string_view in = input->view();
  const void* found = std::memchr(in.data() + scanned_, '\n', in.size() - scanned_);
  scanned_ = found == nullptr ? in.size() : static_cast<size_t>(static_cast<const char*>(found) - in.data());
  // A line is judged by its length alone, so that it does not matter how its bytes arrive.
  if (scanned_ > limits_->inline_bytes_max) return Fail("Protocol error: too big inline request");
  if (found == nullptr) return Step::kIncomplete;
  at_ = scanned_ + 1;
  size_t length = scanned_;
  if (length > 0 && in[length - 1] == '\r') --length;
  if (!SplitInline({input->data(), length}, &args_)) {
    return Fail("Protocol error: unbalanced quotes in request");
  }
  return Step::kDone;
}

RequestParser::Step RequestParser::ParseMultibulk(std::string_view in) {
  int64_t count = 0;
  if (const char* after = QuickCount(in.data() + at_, in.data() + in.size(), &count)) {
    at_ = static_cast<size_t>(after - in.data());
  } else {
    std::string_view line;
    const Step step = FindLine(in, "Protocol error: too big mbulk count string", &line);
    if (step != Step::kDone) return step;
    const std::optional<int64_t> parsed = ParseInteger(line.substr(1));
    if (!parsed) return Fail("Protocol error: invalid multibulk length");
    count = *parsed;
  }
  if (count > limits_->multibulk_length_max) return Fail("Protocol error: invalid multibulk length");
  if (!authenticated_ && count > limits_->unauthenticated_multibulk_length_max) {
    return Fail("Protocol error: unauthenticated multibulk length");
  }
  arguments_left_ = std::max<int64_t>(count, 0);
  return Step::kDone;
}

RequestParser::Step RequestParser::ParseArguments(std::string_view in) {
  while (arguments_left_ > 0) {
    if (phase_ == Phase::kBulk) {
      const Step step = ParseBulkHeader(in);
      if (step != Step::kDone) return step;
      phase_ = Phase::kBody;
    }
    const size_t end = at_ + bulk_bytes_ + 2;
    if (in.size() < end) {
      bytes_wanted_ = end - in.size();
      return Step::kIncomplete;
    }
    pieces_.push_back({at_, bulk_bytes_});
    at_ = end;
    --arguments_left_;
    phase_ = Phase::kBulk;
  }
  return Step::kDone;
}

RequestParser::Step RequestParser::ParseBulkHeader(std::string_view in) {
  int64_t length = 0;
  const char* after = nullptr;
  if (at_ < in.size() && in[at_] == '$' &&
      (after = QuickCount(in.data() + at_, in.data() + in.size(), &length)) != nullptr) {
    at_ = static_cast<size_t>(after - in.data());
    return StartBulk(length);
  }
  const size_t start = at_;
  std::string_view line;
  const Step step = FindLine(in, "Protocol error: too big bulk count string", &line);
  if (step != Step::kDone) return step;
  if (in[start] != '$') {
    const char got = in[start] == '\r' || in[start] == '\n' ? ' ' : in[start];
    return Fail(std::string("Protocol error: expected '$', got '") + got + "'");
  }
  const std::optional<int64_t> parsed = ParseInteger(line.substr(1));
  if (!parsed || *parsed < 0) return Fail("Protocol error: invalid bulk length");
  return StartBulk(*parsed);
}

/// Judges an argument by its announced length, before any memory is spent on it.
RequestParser::Step RequestParser::StartBulk(int64_t length) {
  if (length > limits_->bulk_bytes_max) return Fail("Protocol error: invalid bulk length");
  if (!authenticated_ && length > limits_->unauthenticated_bulk_bytes_max) {
    return Fail("Protocol error: unauthenticated bulk length");
  }
  bulk_bytes_ = static_cast<size_t>(length);
  // Small arguments cost more in the tables than in the buffer, so both count.
  const size_t table_bytes = (pieces_.size() + 1) * (sizeof(Piece) + sizeof(std::string_view));
  if (at_ + bulk_bytes_ + 2 + table_bytes > limits_->request_bytes_max) {
    return Fail("request beyond client-query-buffer-limit", Outcome::kTooLarge);
  }
  return Step::kDone;
}

/// Finds the line that starts at at_ and moves past it. Redis takes whatever byte follows the CR for the LF.
RequestParser::Step RequestParser::FindLine(std::string_view in, const char* too_long,
                                            std::string_view* line) {
  const size_t from = std::max(at_, scanned_);
  const void* found = from < in.size() ? std::memchr(in.data() + from, '\r', in.size() - from) : nullptr;
  scanned_ = found == nullptr ? in.size() : static_cast<size_t>(static_cast<const char*>(found) - in.data());
  if (scanned_ - at_ > limits_->inline_bytes_max) return Fail(too_long);
  if (found == nullptr || scanned_ + 1 == in.size()) return Step::kIncomplete;
  *line = in.substr(at_, scanned_ - at_);
  at_ = scanned_ + 2;
  return Step::kDone;
}

RequestParser::Step RequestParser::Fail(std::string error, Outcome outcome) {
  phase_ = Phase::kBroken;
  failure_ = outcome;
  error_ = std::move(error);
  return Step::kFailed;
}

}  // namespace orrery::resp

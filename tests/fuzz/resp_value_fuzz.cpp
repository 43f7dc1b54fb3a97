// Invariants of the reply side: however input is split, the values and the outcome are the same; what has
// been parsed is written and parsed back unchanged, in RESP3 and (once flattened) in RESP2; the scanner
// agrees with the parser on where replies end; the walker's elements are the aggregate's bytes.

#include <algorithm>

#include "fuzz/fuzz_target.h"
#include "orrery/base/check.h"
#include "orrery/base/hash.h"
#include "orrery/resp/reply_scanner.h"
#include "orrery/resp/value_parser.h"

namespace orrery::resp {
namespace {

ReplyLimits SmallLimits() {
  ReplyLimits limits;
  limits.depth_max = 20;
  limits.line_bytes_max = 1000;
  limits.bulk_bytes_max = 100000;
  return limits;
}

std::string Encoded(const Value& value, Protocol protocol) {
  std::string out;
  ReplyWriter writer(&out, protocol);
  WriteValue(value, &writer);
  return out;
}

/// Values are compared by their RESP3 text, so that NaN equals itself.
struct Replies {
  std::vector<std::string> values;
  std::vector<size_t> ends;  ///< where each value ended in the stream; known exactly when fed whole
  bool failed = false;
};

template <typename NextSize>
Replies Feed(std::string_view stream, NextSize next_size) {
  ValueParser parser(SmallLimits());
  InputBuffer input;
  Replies replies;
  size_t fed = 0;
  while (fed < stream.size()) {
    const size_t n = std::clamp<size_t>(next_size(), 1, stream.size() - fed);
    input.Append(stream.substr(fed, n));
    fed += n;
    Value value;
    auto outcome = parser.Next(&input, &value);
    for (; outcome == ValueParser::Outcome::kValue; outcome = parser.Next(&input, &value)) {
      replies.values.push_back(Encoded(value, Protocol::kResp3));
      replies.ends.push_back(fed - input.size());
    }
    replies.failed = outcome == ValueParser::Outcome::kError;
    if (replies.failed) break;
    ORRERY_CHECK(input.capacity() <= 4 * (100000 + stream.size()) + 4 * InputBuffer::kReadBytes);
  }
  return replies;
}

void CheckSplitsAgree(std::string_view stream, const Replies& whole) {
  uint64_t state = Hash64(stream);
  const auto next_random = [&state] { return state = Hash64({reinterpret_cast<const char*>(&state), 8}); };
  const Replies uneven = Feed(stream, [&] { return next_random() % 24; });
  ORRERY_CHECK(uneven.values == whole.values && uneven.ends == whole.ends && uneven.failed == whole.failed);
}

void CheckRoundTrip(const std::string& bytes) {
  const Result<Value> value = ParseValue(bytes);
  ORRERY_CHECK(value.ok());
  ORRERY_CHECK(Encoded(*value, Protocol::kResp3) == bytes);
  const std::string resp2 = Encoded(*value, Protocol::kResp2);
  const Result<Value> flattened = ParseValue(resp2);
  ORRERY_CHECK(flattened.ok() && Encoded(*flattened, Protocol::kResp2) == resp2);
}

void CheckWalk(std::string_view reply) {
  ElementWalker walker(reply, SmallLimits());
  uint64_t walked = 0;
  size_t bytes = 0;
  std::string_view last;
  while (const auto element = walker.Next()) {
    ORRERY_CHECK(walked == 0 || element->data() == last.data() + last.size());
    last = *element;
    bytes += last.size();
    ++walked;
  }
  ORRERY_CHECK(walked == walker.count() && bytes <= reply.size());
  if (walked > 0) ORRERY_CHECK(last.data() + last.size() == reply.data() + reply.size());
}

/// The scanner sees every reply of the parser, even if it gets the bytes bit by bit.
void CheckScan(std::string_view stream, const Replies& whole) {
  ReplyScanner scanner(SmallLimits());
  size_t start = 0;
  for (const size_t end : whole.ends) {
    const size_t part = (end - start) / 2;
    ORRERY_CHECK(scanner.Scan(stream.substr(start, part)) == ReplyScanner::Outcome::kIncomplete);
    ORRERY_CHECK(scanner.Scan(stream.substr(start)) == ReplyScanner::Outcome::kComplete);
    ORRERY_CHECK(scanner.reply_bytes() == end - start);
    CheckWalk(stream.substr(start, end - start));
    start = end;
  }
  const auto outcome = scanner.Scan(stream.substr(start));
  if (!whole.failed) ORRERY_CHECK(outcome == ReplyScanner::Outcome::kIncomplete);
}

}  // namespace
}  // namespace orrery::resp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery::resp;
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  const Replies whole = Feed(stream, [&] { return stream.size(); });
  CheckSplitsAgree(stream, whole);
  for (const std::string& value : whole.values) CheckRoundTrip(value);
  CheckScan(stream, whole);
  return 0;
}

orrery::fuzz::Seeds orrery::fuzz::MakeSeeds() {
  Seeds seeds;
  seeds.inputs = {"+OK\r\n",
                  "-ERR wrong\r\n",
                  ":-42\r\n",
                  "$5\r\na\r\nbc\r\n",
                  "$-1\r\n*-1\r\n_\r\n",
                  ",3.25\r\n,inf\r\n,-inf\r\n,nan\r\n,1e-7\r\n",
                  "#t\r\n#f\r\n",
                  "(3492890328409238509324850943850943825024385\r\n",
                  "!9\r\nERR\r\nbad!\r\n",
                  "=8\r\ntxt:a\r\nb\r\n",
                  "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*0\r\n_\r\n",
                  "%2\r\n+k\r\n:1\r\n$1\r\nl\r\n*1\r\n#t\r\n",
                  "~2\r\n+a\r\n+b\r\n>2\r\n+message\r\n$2\r\nhi\r\n",
                  "|1\r\n+ttl\r\n:3600\r\n*2\r\n|2\r\n+a\r\n:1\r\n+b\r\n%1\r\n:1\r\n:2\r\n:5\r\n+x\r\n",
                  "$2000\r\n" + std::string(2000, 'v') + "\r\n"};
  seeds.tokens = {"\r\n",
                  "\r",
                  "\n",
                  "+",
                  "-",
                  ":1\r\n",
                  "$0\r\n\r\n",
                  "*1\r\n",
                  "%1\r\n",
                  "~1\r\n",
                  ">1\r\n",
                  "|1\r\n",
                  "|0\r\n",
                  "_\r\n",
                  "#t\r\n",
                  ",1\r\n",
                  "=4\r\ntxt:\r\n",
                  "!0\r\n\r\n",
                  "*-1\r\n",
                  "$-1\r\n",
                  "$?\r\n",
                  "*?\r\n",
                  std::string(1, '\0')};
  return seeds;
}

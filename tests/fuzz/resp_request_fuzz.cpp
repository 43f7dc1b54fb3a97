// Invariants of the request parser: however input is split, the commands and the error are the same; what has
// been parsed means the same when it is sent again; memory is bounded by what has arrived and by the limits.
// The first byte of an input chooses limits and authentication, the rest is the stream.

#include "fuzz/fuzz_target.h"
#include "orrery/base/check.h"
#include "orrery/base/hash.h"
#include "resp/request_feed.h"

namespace orrery::resp {
namespace {

RequestLimits ChooseLimits(uint8_t choice) {
  RequestLimits limits;
  limits.request_bytes_max = size_t{1} << 20;
  limits.bulk_bytes_max = (choice & 2) != 0 ? 100 : int64_t{512} << 20;
  limits.multibulk_length_max = (choice & 4) != 0 ? 5 : 1 << 20;
  limits.inline_bytes_max = (choice & 8) != 0 ? 40 : 64 * 1024;
  return limits;
}

void CheckSplitsAgree(std::string_view stream, const RequestLimits& limits, bool authenticated,
                      const Transcript& whole) {
  uint64_t state = Hash64(stream);
  const auto next_random = [&state] { return state = Hash64({reinterpret_cast<const char*>(&state), 8}); };
  const Transcript uneven = FeedRequests(stream, limits, authenticated, [&] { return next_random() % 32; });
  ORRERY_CHECK(uneven == whole);
  if (stream.size() > 4096) return;
  ORRERY_CHECK(FeedRequests(stream, limits, authenticated, [] { return size_t{1}; }) == whole);
}

void CheckSentAgain(const Transcript& transcript) {
  std::string stream;
  for (const Arguments& args : transcript.commands) {
    ORRERY_CHECK(!args.empty());
    stream += Multibulk(args);
  }
  const Transcript again = FeedRequests(stream, {}, true, [&] { return stream.size(); });
  ORRERY_CHECK(again.commands == transcript.commands && again.error.empty() && again.left_bytes == 0);
}

void CheckMemory(std::string_view stream, const RequestLimits& limits) {
  RequestParser parser(&limits);
  InputBuffer input;
  Transcript transcript;
  for (size_t n = 0; n < stream.size();) {
    const size_t chunk = std::min<size_t>(777, stream.size() - n);
    // As the server does: room for what is missing, even if it comes in small pieces or never.
    ORRERY_CHECK(input.Prepare(parser.bytes_wanted()).size() >= parser.bytes_wanted());
    input.Append(stream.substr(n, chunk));
    n += chunk;
    if (!TakeCommands(&parser, &input, &transcript)) return;
    ORRERY_CHECK(parser.bytes_wanted() <= limits.request_bytes_max);
    ORRERY_CHECK(input.capacity() <= 2 * limits.request_bytes_max + 4 * InputBuffer::kReadBytes);
    ORRERY_CHECK(parser.memory_bytes() <= 2 * limits.request_bytes_max + 64 * 1024);
  }
  input.ShrinkIfIdle(parser.bytes_wanted());
  ORRERY_CHECK(input.size() == transcript.left_bytes);
}

}  // namespace
}  // namespace orrery::resp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery::resp;
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const RequestLimits limits = ChooseLimits(data[0]);
  const bool authenticated = (data[0] & 1) == 0;
  const Transcript whole = FeedRequests(stream, limits, authenticated, [&] { return stream.size(); });
  CheckSplitsAgree(stream, limits, authenticated, whole);
  CheckSentAgain(whole);
  CheckMemory(stream, limits);
  return 0;
}

orrery::fuzz::Seeds orrery::fuzz::MakeSeeds() {
  Seeds seeds;
  for (const std::string choice : {" ", "!", "\"", "$", "(", "*"}) {
    seeds.inputs.push_back(choice + resp::Multibulk({"SET", "key", "value"}));
  }
  seeds.inputs.push_back(" " + resp::Multibulk({"MSET", "a", "1", "b", "", "c", std::string(300, 'x')}));
  seeds.inputs.push_back(" " + resp::Multibulk({"ECHO", std::string("\r\n\0$*1", 7)}));
  seeds.inputs.push_back(" PING\r\nSET \"a b\" 'c\\'d' \"\\x41\\n\"\r\n\r\n*0\r\n*-1\r\nGET k\n");
  seeds.inputs.push_back(" *2\r\n$3\r\nGET\r\n$20000\r\n" + std::string(20000, 'v') + "\r\n");
  seeds.inputs.push_back(" ECHO " + std::string(70000, 'w') + "\r\n");
  seeds.tokens = {"\r\n",
                  "\r",
                  "\n",
                  "*",
                  "$",
                  "*1\r\n",
                  "$0\r\n\r\n",
                  "$3\r\n",
                  "\"",
                  "'",
                  "\\",
                  "\\x",
                  "\\'",
                  " ",
                  "\t",
                  "\v",
                  std::string(1, '\0'),
                  "*1048577\r\n",
                  "$536870912\r\n",
                  "PING\r\n",
                  std::string(50, '1')};
  return seeds;
}

// Invariants of a link's framing: the input is what a peer sends after the greeting. However it is split, the
// frames and the outcome are the same; the frames, framed again, are the input up to where it went wrong; no
// announced length makes the buffer grow past the limit.

#include <algorithm>
#include <cstring>

#include "fuzz/fuzz_target.h"
#include "orrery/base/check.h"
#include "orrery/base/hash.h"
#include "runtime/frame_codec.h"

namespace orrery::runtime {
namespace {

constexpr size_t kFrameMaxBytes = 4096;
constexpr size_t kHintBytes = 512;

struct Frames {
  std::vector<std::string> payloads;
  std::string error;
};

template <typename NextSize>
Frames Feed(std::string_view stream, NextSize next_size) {
  FrameDecoder decoder(kFrameMaxBytes);
  Frames frames;
  while (true) {
    std::string_view payload;
    auto outcome = decoder.Next(&payload);
    for (; outcome == FrameDecoder::Outcome::kFrame; outcome = decoder.Next(&payload)) {
      frames.payloads.emplace_back(payload);
    }
    frames.error = decoder.error();
    ORRERY_CHECK((outcome == FrameDecoder::Outcome::kCorrupt) == !frames.error.empty());
    if (!frames.error.empty() || stream.empty()) return frames;
    const std::span<char> room = decoder.Prepare(kHintBytes);
    ORRERY_CHECK(!room.empty() && room.size() <= kFrameMaxBytes + kFrameHeaderBytes + kHintBytes);
    const size_t n = std::min(std::clamp<size_t>(next_size(), 1, stream.size()), room.size());
    std::memcpy(room.data(), stream.data(), n);
    decoder.Commit(n);
    stream.remove_prefix(n);
  }
}

std::string Framed(const std::vector<std::string>& payloads) {
  std::string bytes;
  uint64_t number = 0;
  for (const std::string& payload : payloads) {
    AppendFrameHeader(number++, FrameType::kMessage, payload, &bytes);
    bytes += payload;
  }
  return bytes;
}

}  // namespace
}  // namespace orrery::runtime

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace orrery::runtime;
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  uint64_t state = orrery::Hash64(stream);
  const auto next_random = [&state] {
    return state = orrery::Hash64({reinterpret_cast<const char*>(&state), 8});
  };
  const Frames whole = Feed(stream, [&] { return stream.size(); });
  const Frames uneven = Feed(stream, [&] { return next_random() % 40; });
  ORRERY_CHECK(uneven.payloads == whole.payloads && uneven.error == whole.error);
  const std::string framed = Framed(whole.payloads);
  ORRERY_CHECK(stream.substr(0, framed.size()) == framed);
  if (whole.error.empty()) ORRERY_CHECK(stream.size() < framed.size() + kFrameHeaderBytes + kFrameMaxBytes);
  return 0;
}

orrery::fuzz::Seeds orrery::fuzz::MakeSeeds() {
  using orrery::runtime::Framed;
  Seeds seeds;
  seeds.inputs = {Framed({""}),
                  Framed({"message"}),
                  Framed({"a", "bb", "ccc", "dddd"}),
                  Framed({std::string(4096, 'x'), "y"}),
                  Framed({std::string(4097, 'x')}),
                  Framed({std::string(700, '\0'), std::string(900, '\xff'), ""})};
  seeds.tokens = {Framed({"a"}), Framed({"a", "b"}), std::string(4, '\0'), std::string(4, '\xff'), "\x01"};
  return seeds;
}

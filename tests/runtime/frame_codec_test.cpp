#include "runtime/frame_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "orrery/runtime/random.h"

namespace orrery::runtime {
namespace {

constexpr size_t kFrameMax = 1 << 20;

std::string Encode(const std::vector<std::string>& frames) {
  std::string bytes;
  uint64_t number = 0;
  for (const std::string& frame : frames) {
    AppendFrameHeader(number++, FrameType::kMessage, frame, &bytes);
    bytes += frame;
  }
  return bytes;
}

/// Feeds the bytes in pieces and collects the frames; stops at a corrupt one.
std::vector<std::string> Decode(FrameDecoder& decoder, std::string_view bytes, Random& random,
                                size_t piece_max) {
  std::vector<std::string> frames;
  while (true) {
    std::string_view frame;
    FrameDecoder::Outcome outcome;
    while ((outcome = decoder.Next(&frame)) == FrameDecoder::Outcome::kFrame) frames.emplace_back(frame);
    if (outcome == FrameDecoder::Outcome::kCorrupt || bytes.empty()) return frames;
    const std::span<char> room = decoder.Prepare(1 + random.Below(piece_max));
    const size_t n = std::min({room.size(), bytes.size(), size_t{1 + random.Below(piece_max)}});
    std::memcpy(room.data(), bytes.data(), n);
    decoder.Commit(n);
    bytes.remove_prefix(n);
  }
}

TEST(FrameCodecTest, HasAHeaderOfSixteenBytesThatDoesNotChange) {
  std::string bytes;
  AppendFrameHeader(0, FrameType::kMessage, "orrery", &bytes);
  ASSERT_EQ(bytes.size(), kFrameHeaderBytes);
  EXPECT_EQ(bytes.substr(0, 4), std::string("\x06\0\0\0", 4));
  EXPECT_EQ(bytes[12], 1);
}

TEST(FrameCodecTest, ReturnsFramesWhateverThePiecesTheyArriveIn) {
  const uint64_t seed = SystemSeed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  SeededRandom random(seed);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::string> frames;
    for (int i = 0; i < 30; ++i) {
      frames.emplace_back(random.Below(random.Below(8) == 0 ? 200'000 : 50), static_cast<char>(i));
    }
    FrameDecoder decoder(kFrameMax);
    EXPECT_EQ(Decode(decoder, Encode(frames), random, 1 + random.Below(100'000)), frames);
    EXPECT_EQ(decoder.frames(), frames.size());
  }
}

TEST(FrameCodecTest, NoticesAnyFlippedBit) {
  SeededRandom random(1);
  const std::vector<std::string> frames = {"first", "second", "third"};
  const std::string good = Encode(frames);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    FrameDecoder decoder(kFrameMax);
    const std::vector<std::string> got = Decode(decoder, bad, random, 64);
    ASSERT_LT(got.size(), frames.size());
    ASSERT_TRUE(std::equal(got.begin(), got.end(), frames.begin()));
    ASSERT_NE(decoder.error(), "") << "bit " << bit;
  }
}

TEST(FrameCodecTest, NoticesALostARepeatedAndASwappedFrame) {
  SeededRandom random(1);
  const std::string a = Encode({"aaaa"});
  const std::string ab = Encode({"aaaa", "bbbb"});
  const std::string b = ab.substr(a.size());
  for (const std::string& bytes : {b, a + a, b + a}) {
    FrameDecoder decoder(kFrameMax);
    EXPECT_LT(Decode(decoder, bytes, random, 64).size(), 2u);
    EXPECT_NE(decoder.error(), "");
  }
}

TEST(FrameCodecTest, RefusesLongFramesBeforeReservingMemoryForThem) {
  SeededRandom random(1);
  std::string bytes;
  AppendFrameHeader(0, FrameType::kMessage, std::string(1025, 'x'), &bytes);
  FrameDecoder decoder(1024);
  Decode(decoder, bytes, random, 64);
  EXPECT_EQ(decoder.error(), "frame 0: it is longer than allowed");
}

TEST(FrameCodecTest, RefusesUnknownTypes) {
  SeededRandom random(1);
  std::string bytes;
  AppendFrameHeader(0, static_cast<FrameType>(2), "x", &bytes);
  FrameDecoder decoder(kFrameMax);
  Decode(decoder, bytes + "x", random, 64);
  EXPECT_EQ(decoder.error(), "frame 0: the type is unknown");
}

}  // namespace
}  // namespace orrery::runtime

#include "orrery/base/codec.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace orrery {
namespace {

TEST(CodecTest, ReadsBackWhatItWrote) {
  std::string bytes;
  Encoder out(&bytes);
  out.PutU8(7);
  out.PutU16(0xbeef);
  out.PutU32(0xdeadbeef);
  out.PutU64(0x0123456789abcdef);
  for (uint64_t v : {0ull, 127ull, 128ull, 16383ull, 16384ull, ~0ull}) out.PutVarint(v);
  for (int64_t v : {0L, -1L, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()})
    out.PutSigned(v);
  out.PutBytes("abc");

  Decoder in(bytes);
  EXPECT_EQ(in.GetU8(), 7);
  EXPECT_EQ(in.GetU16(), 0xbeef);
  EXPECT_EQ(in.GetU32(), 0xdeadbeef);
  EXPECT_EQ(in.GetU64(), 0x0123456789abcdefu);
  for (uint64_t v : {0ull, 127ull, 128ull, 16383ull, 16384ull, ~0ull}) EXPECT_EQ(in.GetVarint(), v);
  for (int64_t v : {0L, -1L, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()})
    EXPECT_EQ(in.GetSigned(), v);
  EXPECT_EQ(in.GetBytes(), "abc");
  EXPECT_TRUE(in.done());
}

// As the format is told, byte by byte.
std::string PlainVarint(uint64_t v) {
  std::string bytes;
  for (; v >= 0x80; v >>= 7) bytes.push_back(static_cast<char>(v | 0x80));
  bytes.push_back(static_cast<char>(v));
  return bytes;
}

std::vector<uint64_t> ValuesOfAllLengths() {
  std::vector<uint64_t> values = {0, ~uint64_t{0}, 0x0123456789abcdef, 0xfedcba9876543210};
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t power = uint64_t{1} << bit;
    values.insert(values.end(), {power - 1, power, power + 1, power | 0x5555555555555555 >> (63 - bit)});
  }
  return values;
}

TEST(CodecTest, VarintsOfAllLengthsAreWhatTheFormatSays) {
  for (const uint64_t v : ValuesOfAllLengths()) {
    const std::string plain = PlainVarint(v);
    std::string bytes;
    Encoder(&bytes).PutVarint(v);
    EXPECT_EQ(bytes, plain) << v;
    PieceEncoder<kVarintBytesMax> piece;
    piece.PutVarint(v);
    EXPECT_EQ(piece.bytes(), plain) << v;
    // At the end of the input, and with more behind it.
    for (const char* behind : {"", "\x01", "0123456789abcdef", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}) {
      Decoder in(bytes += behind);
      EXPECT_EQ(in.GetVarint(), v);
      EXPECT_EQ(in.remaining(), bytes.size() - plain.size()) << v;
      bytes.resize(plain.size());
    }
  }
}

TEST(CodecTest, OnlyTheShortestVarintIsTakenWholeAndInRange) {
  for (const uint64_t v : ValuesOfAllLengths()) {
    const std::string plain = PlainVarint(v);
    std::string longer = plain;
    longer.back() = static_cast<char>(longer.back() | 0x80);
    for (const std::string& bytes :
         {longer + '\0', longer + std::string(12, '\0'), longer, plain.substr(1, plain.size() - 2)}) {
      if (bytes.empty() || static_cast<uint8_t>(bytes.front()) < 0x80) continue;
      Decoder in(bytes);
      EXPECT_EQ(in.GetVarint(), 0u);
      EXPECT_FALSE(in.ok()) << v << " in " << bytes.size();
    }
  }
  std::string too_large = PlainVarint(~uint64_t{0});
  for (const char last : {'\x02', '\x03', '\x7f', '\x80', '\x81', '\xff'}) {
    too_large.back() = last;
    Decoder in(too_large);
    in.GetVarint();
    EXPECT_FALSE(in.ok()) << static_cast<int>(last);
  }
}

TEST(CodecTest, EveryTruncationFailsForGood) {
  std::string bytes;
  Encoder out(&bytes);
  out.PutVarint(300);
  out.PutBytes("payload");
  for (size_t n = 0; n < bytes.size(); ++n) {
    Decoder in(std::string_view(bytes).substr(0, n));
    in.GetVarint();
    in.GetBytes();
    EXPECT_FALSE(in.ok()) << n;
    EXPECT_EQ(in.GetU64(), 0u);
  }
}

TEST(CodecTest, RefusesLongVarintsAndHostileCounts) {
  Decoder overlong(std::string_view("\x80\x00", 2));
  overlong.GetVarint();
  EXPECT_FALSE(overlong.ok());

  Decoder eleven(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10));
  eleven.GetVarint();
  EXPECT_FALSE(eleven.ok());

  std::string bytes;
  Encoder(&bytes).PutVarint(1000000);
  Decoder count(bytes);
  EXPECT_EQ(count.GetCount(8), 0u);
  EXPECT_FALSE(count.ok());
}

}  // namespace
}  // namespace orrery

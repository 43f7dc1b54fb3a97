#include "orrery/base/codec.h"

#include <gtest/gtest.h>

#include <limits>

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

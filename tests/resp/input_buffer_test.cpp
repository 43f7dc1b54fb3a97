#include "orrery/resp/input_buffer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace orrery::resp {
namespace {

constexpr size_t kMegabyte = size_t{1} << 20;

TEST(InputBufferTest, HoldsNothingUntilFirstUse) {
  InputBuffer buffer;
  EXPECT_EQ(buffer.capacity(), 0u);
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.view(), "");
  buffer.ShrinkIfIdle();
  EXPECT_EQ(buffer.Prepare().size(), InputBuffer::kReadBytes);
}

TEST(InputBufferTest, KeepsUnconsumedBytesInOrder) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  InputBuffer buffer;
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    std::string bytes(random() % (i % 100 == 0 ? 200000 : 300), '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    buffer.Append(bytes);
    expected += bytes;
    if (random() % 8 == 0) buffer.ShrinkIfIdle(random() % 1000);
    const size_t n = random() % (expected.size() + 1);
    buffer.Consume(n);
    expected.erase(0, n);
    ASSERT_EQ(buffer.view(), expected);
    ASSERT_LE(buffer.capacity(), std::max(4 * expected.size(), size_t{1000000}));
  }
}

TEST(InputBufferTest, GrowsOnceToTheSizeOfAnAnnouncedArgument) {
  InputBuffer buffer;
  buffer.Append("header");
  EXPECT_GE(buffer.Prepare(64 * kMegabyte).size(), 64 * kMegabyte);
  EXPECT_LE(buffer.capacity(), 64 * kMegabyte + 2 * InputBuffer::kReadBytes);
  const char* const place = buffer.data();
  for (size_t left = 64 * kMegabyte; left > 0;) {
    const size_t n = std::min(buffer.Prepare(left).size(), left);
    buffer.Commit(std::min(n, kMegabyte));
    left -= std::min(n, kMegabyte);
  }
  EXPECT_EQ(buffer.data(), place);
}

TEST(InputBufferTest, ManyLargeArgumentsDoNotGrowTheBufferEachTime) {
  InputBuffer buffer;
  int growths = 0;
  size_t capacity = 0;
  for (int i = 0; i < 256; ++i) {
    buffer.Prepare(kMegabyte / 4);
    growths += buffer.capacity() != capacity ? 1 : 0;
    capacity = buffer.capacity();
    buffer.Commit(kMegabyte / 4);
  }
  EXPECT_LE(growths, 12);
}

TEST(InputBufferTest, GivesBackWhatALargeArgumentNeeded) {
  InputBuffer buffer;
  buffer.Prepare(8 * kMegabyte);
  buffer.Commit(8 * kMegabyte);
  buffer.Consume(8 * kMegabyte - 3);
  buffer.ShrinkIfIdle();
  EXPECT_LE(buffer.capacity(), 2 * InputBuffer::kReadBytes);
  EXPECT_EQ(buffer.size(), 3u);

  buffer.Prepare(8 * kMegabyte);
  buffer.Commit(8 * kMegabyte);
  buffer.Consume(buffer.size());
  EXPECT_GT(buffer.capacity(), 8 * kMegabyte) << "views are still valid";
  buffer.Prepare();
  EXPECT_LE(buffer.capacity(), 2 * InputBuffer::kReadBytes);
}

TEST(InputBufferTest, DoesNotShrinkUnderAnArgumentThatIsArriving) {
  InputBuffer buffer;
  buffer.Prepare(8 * kMegabyte);
  buffer.Commit(100);
  const size_t capacity = buffer.capacity();
  buffer.ShrinkIfIdle(8 * kMegabyte - 100);
  EXPECT_EQ(buffer.capacity(), capacity);
}

TEST(InputBufferTest, AnIdleBufferHasNoMemory) {
  InputBuffer buffer;
  buffer.Append("PING\r\n");
  buffer.Consume(6);
  buffer.ShrinkIfIdle();
  EXPECT_EQ(buffer.capacity(), 0u);
  buffer.Append("x");
  EXPECT_EQ(buffer.view(), "x");
}

TEST(InputBufferTest, SteadyPipelinesReuseTheSameMemory) {
  InputBuffer buffer;
  buffer.Append(std::string(1000, 'x'));
  for (int i = 0; i < 1000; ++i) {
    buffer.Append(std::string(3000, 'y'));
    buffer.Consume(3000);
  }
  EXPECT_LE(buffer.capacity(), 2 * InputBuffer::kReadBytes);
  EXPECT_EQ(buffer.size(), 1000u);
}

}  // namespace
}  // namespace orrery::resp

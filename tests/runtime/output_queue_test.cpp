#include "runtime/uv/output_queue.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "orrery/runtime/random.h"

namespace orrery::runtime {
namespace {

std::string Front(const OutputQueue& queue, size_t pieces_max) {
  std::vector<iovec> pieces(pieces_max);
  pieces.resize(queue.Peek(pieces.data(), pieces_max));
  std::string bytes;
  for (const iovec& piece : pieces) bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  return bytes;
}

TEST(OutputQueueTest, GathersSmallWritesInOnePiece) {
  ChunkPool pool;
  OutputQueue queue(pool);
  queue.Append("ab");
  queue.Tail() += "cd";
  queue.Append("ef");
  iovec pieces[4];
  EXPECT_EQ(queue.Peek(pieces, 4), 1u);
  EXPECT_EQ(Front(queue, 4), "abcdef");
  EXPECT_EQ(queue.bytes(), 6u);
}

TEST(OutputQueueTest, DoesNotCopyLargeWrites) {
  ChunkPool pool;
  OutputQueue queue(pool);
  std::string large(100'000, 'x');
  const char* where = large.data();
  queue.Append("small");
  queue.Append(std::move(large));
  iovec pieces[4];
  ASSERT_EQ(queue.Peek(pieces, 4), 2u);
  EXPECT_EQ(pieces[1].iov_base, where);
}

TEST(OutputQueueTest, GivesTheSameBytesInTheSameOrderHoweverTheyLeave) {
  const uint64_t seed = SystemSeed();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  SeededRandom random(seed);
  ChunkPool pool;
  OutputQueue queue(pool);
  std::string expected;
  for (int step = 0; step < 3000; ++step) {
    if (random.Below(2) == 0) {
      const size_t size = random.Below(random.Below(4) == 0 ? 30'000 : 300);
      const std::string bytes(size, static_cast<char>('a' + step % 26));
      expected += bytes;
      if (random.Below(2) == 0) {
        queue.Append(bytes);
      } else {
        queue.Tail() += bytes;
      }
    } else {
      const size_t n = random.Below(std::min<size_t>(queue.bytes(), 40'000) + 1);
      ASSERT_EQ(expected.compare(0, n, Front(queue, 1000), 0, n), 0);
      queue.Consume(n);
      expected.erase(0, n);
    }
    ASSERT_EQ(queue.bytes(), expected.size());
    ASSERT_EQ(queue.empty(), expected.empty());
  }
  ASSERT_EQ(Front(queue, 100'000), expected);
}

}  // namespace
}  // namespace orrery::runtime

#include "orrery/base/slot.h"

#include <gtest/gtest.h>

namespace orrery {
namespace {

TEST(SlotTest, MatchesTheCheckValueOfTheSpecification) { EXPECT_EQ(Crc16("123456789"), 0x31c3); }

TEST(SlotTest, MatchesSlotsThatRedisComputes) {
  EXPECT_EQ(SlotOf("foo"), 12182);
  EXPECT_EQ(SlotOf("bar"), 5061);
  EXPECT_EQ(SlotOf("hello"), 866);
}

TEST(SlotTest, HashesOnlyTheTag) {
  EXPECT_EQ(SlotOf("{user1000}.following"), SlotOf("{user1000}.followers"));
  EXPECT_EQ(HashTag("foo{}{bar}"), "foo{}{bar}");
  EXPECT_EQ(HashTag("foo{{bar}}zap"), "{bar");
  EXPECT_EQ(HashTag("foo{bar}{zap}"), "bar");
  EXPECT_EQ(HashTag("foo{bar"), "foo{bar");
}

}  // namespace
}  // namespace orrery

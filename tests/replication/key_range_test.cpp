#include "orrery/replication/key_range.h"

#include <gtest/gtest.h>

#include <set>

#include "orrery/runtime/random.h"
#include "replication/seeds.h"

namespace orrery::replication {
namespace {

TEST(KeyRangeTest, AnEmptyEndIsTheEndOfTheSlot) {
  const KeyRange slot;
  EXPECT_TRUE(slot.Contains(""));
  EXPECT_TRUE(slot.Contains("\xff\xff"));
  const KeyRange tail{"m", ""};
  EXPECT_FALSE(tail.Contains("l"));
  EXPECT_TRUE(tail.Contains("m"));
  EXPECT_EQ(slot.Cut(tail), tail);
  EXPECT_EQ((KeyRange{"a", "p"}.Cut(tail)), (KeyRange{"m", "p"}));
  EXPECT_FALSE((KeyRange{"a", "m"}.Meets(tail)));
}

TEST(KeyRangeTest, OfAPrefixHasAllThatStartsWithIt) {
  EXPECT_EQ(KeyRange::Under("ab"), (KeyRange{"ab", "ac"}));
  EXPECT_EQ(KeyRange::Under("a\xff"), (KeyRange{"a\xff", "b"}));
  EXPECT_EQ(KeyRange::Under("\xff"), (KeyRange{"\xff", ""}));
  EXPECT_EQ(KeyRange::Under(""), KeyRange());
}

TEST(KeyRangeTest, ABoundBetweenNeighboursIsShort) {
  EXPECT_EQ(KeyBetween("aaaaa", "aazzz"), "aaz");
  EXPECT_EQ(KeyBetween("aaaaa", "b"), "b");
  EXPECT_EQ(KeyBetween("a", "abc"), "ab");
  EXPECT_EQ(KeyBetween("a", std::string("a\0", 2)), std::string("a\0", 2));
}

std::string Bound(uint64_t n) {
  return n == 0 ? "" : std::string(1, static_cast<char>('a' + n));
}

// Against a set of the few keys that there are.
TEST(KeyRangeSetTest, IsASetOfKeys) {
  constexpr uint64_t kKeys = 20;
  runtime::SeededRandom random(TestSeed());
  for (int round = 0; round < 300; ++round) {
    KeyRangeSet set;
    std::set<std::string> model;
    for (int step = 0; step < 40; ++step) {
      const uint64_t begin = random.Below(kKeys);
      const uint64_t end = random.Below(5) == 0 ? 0 : begin + 1 + random.Below(kKeys - begin);
      const KeyRange range{Bound(begin), Bound(end == kKeys ? 0 : end)};
      const std::vector<KeyRange> taken = set.Take(range);
      std::set<std::string> gone;
      for (uint64_t key = 0; key < kKeys; ++key) {
        const std::string name = Bound(key);
        bool in_taken = false;
        for (const KeyRange& part : taken) in_taken |= part.Contains(name);
        EXPECT_EQ(in_taken, range.Contains(name) && model.contains(name));
        if (range.Contains(name)) model.erase(name);
      }
      if (random.Below(3) != 0) {
        set.Add(range);
        for (uint64_t key = 0; key < kKeys; ++key) {
          if (range.Contains(Bound(key))) model.insert(Bound(key));
        }
      }
      for (uint64_t key = 0; key < kKeys; ++key)
        EXPECT_EQ(set.Contains(Bound(key)), model.contains(Bound(key)));
      const std::vector<KeyRange> ranges = set.ranges();
      for (size_t i = 1; i < ranges.size(); ++i) {
        EXPECT_FALSE(ranges[i - 1].end.empty());
        EXPECT_LT(ranges[i - 1].end, ranges[i].begin) << "ranges that touch are one";
      }
    }
  }
}

}  // namespace
}  // namespace orrery::replication

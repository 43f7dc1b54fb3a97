#include "simulation/linearizability.h"

#include <gtest/gtest.h>

namespace orrery::simulation {
namespace {

const std::string kOk = "+OK\r\n";

TEST(LinearizabilityTest, OneAfterTheOtherFollowsRedis) {
  EXPECT_EQ(WhyNotLinearizable({{1, 2, {"SET", "k", "1"}, kOk},
                                {3, 4, {"INCR", "k"}, ":2\r\n"},
                                {5, 6, {"APPEND", "k", "0"}, ":2\r\n"},
                                {7, 8, {"GETDEL", "k"}, "$2\r\n20\r\n"},
                                {9, 10, {"GET", "k"}, "$-1\r\n"}},
                               0),
            "");
}

TEST(LinearizabilityTest, CommandsUnderWayTogetherMayTakeEitherOrder) {
  const KeyStep set_a{1, 10, {"SET", "k", "a"}, kOk}, set_b{2, 9, {"SET", "k", "b"}, kOk};
  EXPECT_EQ(WhyNotLinearizable({set_a, set_b, {11, 12, {"GET", "k"}, "$1\r\na\r\n"}}, 0), "");
  EXPECT_EQ(WhyNotLinearizable({set_a, set_b, {11, 12, {"GET", "k"}, "$1\r\nb\r\n"}}, 0), "");
}

TEST(LinearizabilityTest, ReadOfAnOverwrittenValueIsNoticed) {
  const std::string why = WhyNotLinearizable({{1, 2, {"SET", "k", "old"}, kOk},
                                              {3, 4, {"SET", "k", "new"}, kOk},
                                              {5, 6, {"GET", "k"}, "$3\r\nold\r\n"}},
                                             0);
  EXPECT_NE(why.find("GET k"), std::string::npos) << why;
}

// Two clients that both counted from one to two.
TEST(LinearizabilityTest, LostIncrementIsNoticed) {
  EXPECT_NE(
      WhyNotLinearizable(
          {{1, 2, {"SET", "k", "1"}, kOk}, {3, 9, {"INCR", "k"}, ":2\r\n"}, {4, 8, {"INCR", "k"}, ":2\r\n"}},
          0),
      "");
}

// The first of two reads saw a write that the second did not.
TEST(LinearizabilityTest, ValueThatComesAndGoesIsNoticed) {
  EXPECT_NE(WhyNotLinearizable({{1, 2, {"SET", "k", "a"}, kOk},
                                {3, 20, {"SET", "k", "b"}, kOk},
                                {4, 5, {"GET", "k"}, "$1\r\nb\r\n"},
                                {6, 7, {"GET", "k"}, "$1\r\na\r\n"}},
                               0),
            "");
}

TEST(LinearizabilityTest, WhatWasNeverAnsweredMayHaveHappenedOrNot) {
  const KeyStep lost{1, UINT64_MAX, {"SET", "k", "a"}, ""};
  EXPECT_EQ(WhyNotLinearizable({lost, {5, 6, {"GET", "k"}, "$1\r\na\r\n"}}, 0), "");
  EXPECT_EQ(WhyNotLinearizable({lost, {5, 6, {"GET", "k"}, "$-1\r\n"}}, 0), "");
}

TEST(LinearizabilityTest, EndsComeAtTheirInstant) {
  const KeyStep set{1'000, 2'000, {"SET", "k", "a", "PXAT", "105"}, kOk};
  EXPECT_EQ(WhyNotLinearizable({set, {3'000, 4'000, {"GET", "k"}, "$1\r\na\r\n"}}, 100), "");
  EXPECT_EQ(WhyNotLinearizable({set, {6'000, 7'000, {"GET", "k"}, "$-1\r\n"}}, 100), "");
  EXPECT_NE(WhyNotLinearizable({set, {3'000, 4'000, {"GET", "k"}, "$-1\r\n"}}, 100), "");
  EXPECT_NE(WhyNotLinearizable({set, {6'000, 7'000, {"GET", "k"}, "$1\r\na\r\n"}}, 100), "");
}

}  // namespace
}  // namespace orrery::simulation

// New nodes that meet nobody, or a member whom all others lose.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cluster/processes.h"
#include "cluster/reset_steps.h"

namespace orrery::cluster {
namespace {

const std::vector<std::string> kSettings = {"--slot-transfer", "yes", "--request-timeout", "20000"};

// After three seconds it served alone, and with what its clients wrote nobody took it in any more.
TEST(NewcomerTest, WhoFindsNobodyServesNobodyAndJoinsLater) {
  Processes nodes(2, kSettings, {.started = 1});
  ASSERT_TRUE(nodes.WaitUntilServing());
  ASSERT_EQ(nodes.Run(0, {"SET", "key", "theirs"}), "OK");
  nodes.Crash(0);
  nodes.Start(1);
  ASSERT_TRUE(Eventually([&] { return nodes.Run(1, {"SET", "key", "lost"}) == kAwaitsMeeting; }));
  EXPECT_EQ(nodes.Run(1, {"GET", "key"}), kAwaitsMeeting);
  EXPECT_EQ(nodes.Run(1, {"CLUSTER", "SLOTS"}), "");
  nodes.Start(0);
  EXPECT_TRUE(Eventually([&] { return nodes.Run(1, {"GET", "key"}) == "theirs"; }));
  EXPECT_EQ(nodes.Run(1, {"SET", "key", "ours"}), "OK");
  EXPECT_EQ(nodes.Run(0, {"GET", "key"}), "ours");
}

// It stayed outside with its data, as a cluster takes in nobody who has some.
TEST(NewcomerTest, WhomOnlyALostMemberKnewIsAMemberWithAllThatItHas) {
  Processes nodes(3, kSettings, {.started = 2});
  ASSERT_TRUE(nodes.WaitUntilServing());
  ASSERT_EQ(nodes.Run(0, {"SET", "before", "1"}), "OK");
  nodes.Crash(0);
  nodes.Start(2);
  ASSERT_TRUE(Eventually([&] {
    return nodes.Run(2, {"GET", "before"}) == "1";
  })) << nodes.Run(2, {"RING", "STATUS"});
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(nodes.Run(2, {"SET", "key" + std::to_string(i), std::to_string(i)}), "OK");
  }
  const std::string lost = Id(nodes, 1);
  nodes.Crash(1);
  std::filesystem::remove_all(nodes.dir(1));
  nodes.Start(0);
  ASSERT_TRUE(Eventually([&] { return KnownNodes(nodes, 0) == "3"; })) << nodes.Run(0, {"RING", "STATUS"});
  EXPECT_EQ(nodes.Run(0, {"CLUSTER", "FORGET", lost}), "OK");
  EXPECT_TRUE(Eventually([&] { return nodes.WaitUntilServing() && KnownNodes(nodes, 2) == "2"; }));
  std::vector<std::string> keys = {"before"};
  for (int i = 0; i < 200; ++i) {
    keys.push_back("key" + std::to_string(i));
    EXPECT_EQ(nodes.Run(0, {"GET", keys.back()}), std::to_string(i));
  }
  EXPECT_EQ(nodes.Run(2, {"GET", "before"}), "1");
  EXPECT_TRUE(Eventually([&] { return nodes.HaveConverged(keys); })) << "replicas differ";
}

}  // namespace
}  // namespace orrery::cluster

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

#include "cluster/load.h"

namespace orrery::cluster {
namespace {

using Clock = std::chrono::steady_clock;

// The promise is one detection period; a machine that is busy with other things gets more.
constexpr double kErrorSecondsMax = 5;

void ReportErrors(const Load& load, Clock::time_point start) {
  const double seconds = load.SecondsUntilLastError(start);
  std::cout << "last error " << seconds << " s after the kill" << std::endl;
  EXPECT_LT(seconds, kErrorSecondsMax);
}

TEST(KillTest, OneOfFiveNodesDiesUnderLoadAndReturns) {
  Processes nodes(5, {});
  ASSERT_TRUE(nodes.WaitUntilServing());
  Load load(nodes);
  WaitForWrites(load, 500);
  const Clock::time_point start = Clock::now();
  nodes.Crash(4);
  WaitForWrites(load, 1000);
  nodes.Start(4);
  WaitForWrites(load, 500);
  load.Stop();
  ReportErrors(load, start);
  ASSERT_TRUE(nodes.WaitUntilServing());
  ExpectHandedOverSoon(&nodes, load);
  ExpectNothingLost(&nodes, load);
}

TEST(KillTest, TwoOfFiveNodesDieAtOnceUnderLoadAndReturn) {
  Processes nodes(5, {});
  ASSERT_TRUE(nodes.WaitUntilServing());
  Load load(nodes);
  WaitForWrites(load, 500);
  const Clock::time_point start = Clock::now();
  for (size_t node : {2u, 3u}) nodes.Kill(node, SIGKILL);
  for (size_t node : {2u, 3u}) nodes.Reap(node);
  WaitForWrites(load, 1000);
  for (size_t node : {2u, 3u}) nodes.Start(node);
  WaitForWrites(load, 500);
  load.Stop();
  ReportErrors(load, start);
  ASSERT_TRUE(nodes.WaitUntilServing());
  ExpectHandedOverSoon(&nodes, load);
  ExpectNothingLost(&nodes, load);
}

// ORRERY_LONG_TESTS=1: half a minute, as long as an operator may take to notice.
TEST(KillTest, AStoppedNodeThatGoesOnUndoesNothing) {
  Processes nodes(5, {});
  ASSERT_TRUE(nodes.WaitUntilServing());
  Load load(nodes);
  WaitForWrites(load, 500);
  const Clock::time_point start = Clock::now();
  const auto length = std::chrono::seconds(std::getenv("ORRERY_LONG_TESTS") != nullptr ? 30 : 3);
  nodes.Kill(4, SIGSTOP);
  WaitForWrites(load, 1000);
  EXPECT_TRUE(Eventually([&] { return Clock::now() - start >= length; }, 60));
  WaitForWrites(load, 500);
  nodes.Kill(4, SIGCONT);
  WaitForWrites(load, 500);
  load.Stop();
  ASSERT_TRUE(nodes.WaitUntilServing());
  ExpectHandedOverSoon(&nodes, load);
  ExpectNothingLost(&nodes, load);
}

TEST(KillTest, AllNodesDieAtOnceAndNothingAcknowledgedIsLost) {
  Processes nodes(3, {"--appendfsync", "always"});
  ASSERT_TRUE(nodes.WaitUntilServing());
  Load load(nodes);
  WaitForWrites(load, 200);
  for (size_t i = 0; i < 3; ++i) nodes.Kill(i, SIGKILL);
  for (size_t i = 0; i < 3; ++i) nodes.Reap(i);
  load.Stop();
  for (size_t i = 0; i < 3; ++i) nodes.Start(i);
  ASSERT_TRUE(nodes.WaitUntilServing());
  ExpectNothingLost(&nodes, load);
}

TEST(RestartTest, NodesThatAreToldToStopFinishAndReturnOneByOneUnderLoad) {
  Processes nodes(3, {});
  ASSERT_TRUE(nodes.WaitUntilServing());
  Load load(nodes);
  WaitForWrites(load, 300);
  for (size_t i = 0; i < 3; ++i) {
    nodes.Kill(i, SIGTERM);
    EXPECT_EQ(nodes.Reap(i), 0) << "node " << i << " did not end in order";
    WaitForWrites(load, 200);
    nodes.Start(i);
    ASSERT_TRUE(nodes.WaitUntilServing());
  }
  load.Stop();
  ExpectNothingLost(&nodes, load);
}

TEST(RestartTest, AllNodesAtOnceHaveTheirDataBack) {
  Processes nodes(3, {});
  ASSERT_TRUE(nodes.WaitUntilServing());
  ASSERT_EQ(nodes.Run(0, {"SET", "k", "v"}), "OK");
  ASSERT_EQ(nodes.Run(1, {"INCRBY", "n", "41"}), "41");
  ASSERT_EQ(nodes.Run(2, {"SET", "gone", "v", "EX", "1000"}), "OK");
  ASSERT_EQ(nodes.Run(2, {"DEL", "gone"}), "1");
  for (size_t i = 0; i < 3; ++i) nodes.Kill(i, SIGTERM);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(nodes.Reap(i), 0);
  for (size_t i = 0; i < 3; ++i) nodes.Start(i);
  ASSERT_TRUE(nodes.WaitUntilServing());
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(nodes.Run(i, {"GET", "k"}), "v");
    EXPECT_EQ(nodes.Run(i, {"GET", "n"}), "41");
    EXPECT_EQ(nodes.Run(i, {"EXISTS", "gone"}), "0");
  }
  EXPECT_EQ(nodes.Run(2, {"INCR", "n"}), "42");
}

}  // namespace
}  // namespace orrery::cluster

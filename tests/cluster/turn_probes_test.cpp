// Quorum reads that share one question to another home (docs/consistency.md, quorum reads).

#include <gtest/gtest.h>

#include <string>

#include "cluster/processes.h"

namespace orrery::cluster {
namespace {

class TurnProbesTest : public testing::TestWithParam<std::string> {
 protected:
  static constexpr size_t kKeys = 100;

  static std::string Key(size_t i) { return "key:" + std::to_string(i); }
  /// Of INFO's section dynamo, summed over the nodes that run.
  uint64_t Sum(const std::string& field, size_t nodes) {
    uint64_t sum = 0;
    for (size_t i = 0; i < nodes; ++i) sum += std::stoull(FieldOf(nodes_.Run(i, {"INFO", "dynamo"}), field));
    return sum;
  }
  void ReadAll(const std::string& value, size_t nodes, size_t shift = 0) {
    for (size_t i = 0; i < kKeys; ++i) ASSERT_EQ(nodes_.Run((i + shift) % nodes, {"GET", Key(i)}), value);
  }

  Processes nodes_{3, {"--threads", GetParam()}};
};

TEST_P(TurnProbesTest, SlotsAreAskedForByThemselvesOnlyOnce) {
  ASSERT_TRUE(nodes_.WaitUntilServing());
  for (size_t i = 0; i < kKeys; ++i) ASSERT_EQ(nodes_.Run(i % 3, {"SET", Key(i), "old"}), "OK");
  // Whatever the nodes still have to tell each other after their start makes some be asked for again; and of
  // each home that a key is read through its coordinator learns by itself.
  ASSERT_TRUE(Eventually([&] {
    const uint64_t sent = Sum("probes_sent", 3);
    const uint64_t shared = Sum("probes_joined", 3) + Sum("probes_spared", 3);
    ReadAll("old", 3);
    ReadAll("old", 3, 1);
    return Sum("probes_sent", 3) == sent &&
           Sum("probes_joined", 3) + Sum("probes_spared", 3) == shared + 2 * kKeys;
  }));
  EXPECT_GT(Sum("probes_joined", 3), 0u);
  EXPECT_GT(Sum("probes_spared", 3), 0u);
  // Writes of the slots' own coordinators change nothing of that.
  const uint64_t sent = Sum("probes_sent", 3);
  for (size_t i = 0; i < kKeys; ++i) {
    ASSERT_EQ(nodes_.Run(i % 3, {"SET", Key(i), "new"}), "OK");
    ASSERT_EQ(nodes_.Run((i + 1) % 3, {"GET", Key(i)}), "new");
  }
  // Whoever does not answer for a while is asked again, by single slots.
  EXPECT_LT(Sum("probes_sent", 3), sent + kKeys / 2);
}

TEST_P(TurnProbesTest, WritesThroughAnotherHomeAreAcknowledgedByIt) {
  ASSERT_TRUE(nodes_.WaitUntilServing());
  for (size_t i = 0; i < kKeys; ++i) ASSERT_EQ(nodes_.Run(i % 3, {"SET", Key(i), "old"}), "OK");
  EXPECT_GT(Sum("replies_bound", 3), 0u);
  ReadAll("old", 3);
}

TEST_P(TurnProbesTest, WhatOthersWroteForANodeThatWasAwayIsSeenWhenItIsBack) {
  ASSERT_TRUE(nodes_.WaitUntilServing());
  for (size_t i = 0; i < kKeys; ++i) ASSERT_EQ(nodes_.Run(i % 3, {"SET", Key(i), "old"}), "OK");
  for (int round = 0; round < 3; ++round) ReadAll("old", 3);
  nodes_.Crash(2);
  ASSERT_TRUE(Eventually([&] { return Sum("members_alive", 2) == 4; }));
  for (size_t i = 0; i < kKeys; ++i) ASSERT_EQ(nodes_.Run(i % 2, {"SET", Key(i), "new"}), "OK");
  for (int round = 0; round < 3; ++round) ReadAll("new", 2);
  nodes_.Start(2);
  ASSERT_TRUE(nodes_.WaitUntilServing());
  for (int round = 0; round < 3; ++round) ReadAll("new", 3);
}

INSTANTIATE_TEST_SUITE_P(Threads, TurnProbesTest, testing::Values("1", "2"));

}  // namespace
}  // namespace orrery::cluster

#include <gtest/gtest.h>

#include <string>

#include "cluster/processes.h"

namespace orrery::cluster {
namespace {

class KeyspaceTest : public testing::Test {
 protected:
  // Each key through one node, and counted at once through another.
  void AddAndCount(size_t first, size_t last, size_t nodes) {
    for (size_t i = first; i < last; ++i) {
      ASSERT_EQ(nodes_.Run(i % nodes, {"SET", "key:" + std::to_string(i), "v"}), "OK");
      ASSERT_EQ(nodes_.Run((i + 1) % nodes, {"DBSIZE"}), std::to_string(i + 1));
    }
  }

  /// Of INFO's section stats, summed over all nodes.
  uint64_t Sum(const std::string& field) {
    uint64_t sum = 0;
    for (size_t i = 0; i < nodes_.size(); ++i)
      sum += std::stoull(FieldOf(nodes_.Run(i, {"INFO", "stats"}), field));
    return sum;
  }

  Processes nodes_{3, {}};
};

TEST_F(KeyspaceTest, CountsLookupsAndEndedKeysOnceInTheCluster) {
  ASSERT_TRUE(nodes_.WaitUntilServing());
  for (size_t i = 0; i < 60; ++i) {
    ASSERT_EQ(nodes_.Run(i % 3, {"SET", "key:" + std::to_string(i), "v", "PX", "60000"}), "OK");
  }
  for (size_t i = 0; i < 90; ++i) nodes_.Run((i + 1) % 3, {"GET", "key:" + std::to_string(i)});
  nodes_.Run(0, {"MGET", "key:1", "key:2", "nothing", "key:3"});
  EXPECT_EQ(Sum("keyspace_hits"), 63u);
  EXPECT_EQ(Sum("keyspace_misses"), 31u);
  EXPECT_GT(Sum("total_net_repl_input_bytes"), 0u);
  EXPECT_EQ(Sum("expired_keys"), 0u);
  for (size_t i = 0; i < 60; ++i) {
    ASSERT_EQ(nodes_.Run(i % 3, {"PEXPIRE", "key:" + std::to_string(i), "1"}), "1");
  }
  EXPECT_TRUE(Eventually([&] { return Sum("expired_keys") == 60; })) << Sum("expired_keys");
  for (size_t i = 0; i < 3; ++i) ASSERT_EQ(nodes_.Run(i, {"CONFIG", "RESETSTAT"}), "OK");
  for (const char* field : {"keyspace_hits", "keyspace_misses", "expired_keys"})
    EXPECT_EQ(Sum(field), 0u) << field;
}

TEST_F(KeyspaceTest, IsCountedAsItIsFromEveryNodeAtOnceWithOneNodeDownToo) {
  ASSERT_TRUE(nodes_.WaitUntilServing());
  AddAndCount(0, 150, 3);
  nodes_.Crash(2);
  for (size_t i : {0u, 1u}) {
    ASSERT_TRUE(Eventually([&] {
      return FieldOf(nodes_.Run(i, {"INFO", "dynamo"}), "members_alive") == "2";
    }));
  }
  AddAndCount(150, 300, 2);
  for (size_t i = 0; i < 300; i += 2) ASSERT_EQ(nodes_.Run(0, {"DEL", "key:" + std::to_string(i)}), "1");
  nodes_.Start(2);
  // The node that was away is behind until it has caught up: it is doubt, never a wrong number.
  ASSERT_TRUE(nodes_.WaitUntilServing());
  for (size_t i : {0u, 1u, 2u}) EXPECT_EQ(nodes_.Run(i, {"DBSIZE"}), "150");
  EXPECT_EQ(nodes_.Run(1, {"FLUSHALL"}), "OK");
  for (size_t i : {0u, 1u, 2u}) {
    EXPECT_EQ(nodes_.Run(i, {"DBSIZE"}), "0");
    EXPECT_EQ(nodes_.Run(i, {"KEYS", "*"}), "");
    EXPECT_EQ(nodes_.Run(i, {"RANDOMKEY"}), "(nil)");
  }
}

}  // namespace
}  // namespace orrery::cluster

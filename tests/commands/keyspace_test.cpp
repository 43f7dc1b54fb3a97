#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "commands/fake_cluster.h"
#include "orrery/resp/value_parser.h"

namespace orrery::commands {
namespace {

using replication::Outcome;
using replication::Response;

std::set<std::string> SetOf(const std::string& reply) {
  std::set<std::string> keys;
  const auto value = resp::ParseValue(reply);
  EXPECT_TRUE(value.ok() && value->is_aggregate()) << reply;
  if (!value.ok()) return keys;
  for (const auto& key : value->elements()) keys.emplace(key.text());
  EXPECT_EQ(keys.size(), value->elements().size());
  return keys;
}

/// "key0" to "key<n-1>".
void Fill(FakeCluster* cluster, int n) {
  for (int i = 0; i < n; ++i) cluster->Run({"set", "key" + std::to_string(i), "v"});
  cluster->ClearLog();
}

TEST(KeysTest, FindsEveryMatchingKeyThroughAllPages) {
  FakeCluster cluster;
  Fill(&cluster, 500);
  for (int i = 0; i < 2500; ++i) cluster.Run({"set", "{big}" + std::to_string(i), "v"});
  EXPECT_EQ(SetOf(cluster.Run({"keys", "*"})).size(), 3000u);
  EXPECT_EQ(SetOf(cluster.Run({"keys", "key1?"})).size(), 10u);
  EXPECT_EQ(SetOf(cluster.Run({"keys", "{big}2499"})), (std::set<std::string>{"{big}2499"}));
  EXPECT_EQ(cluster.Run({"keys", "nothing*"}), "*0\r\n");
  EXPECT_LE(cluster.under_way_max(), 256u);
}

TEST(KeysTest, ErrorOfTheEarliestSlotIsTheReply) {
  FakeCluster cluster;
  Fill(&cluster, 100);
  std::set<SlotId> slots;
  for (int i = 0; i < 100; ++i) slots.insert(SlotOf("key" + std::to_string(i)));
  const SlotId early = *std::next(slots.begin(), 10);
  const SlotId late = *std::next(slots.begin(), 60);
  cluster.Fail(late, Response{Outcome::kClusterDown, "late"});
  cluster.Fail(early, Response{Outcome::kClusterDown, "early"});
  EXPECT_EQ(cluster.Run({"keys", "*"}), "-CLUSTERDOWN early\r\n");
}

TEST(DbSizeTest, TakesTheCoordinatorsCounts) {
  FakeCluster cluster;
  EXPECT_EQ(cluster.Run({"dbsize"}), ":0\r\n");
  Fill(&cluster, 300);
  EXPECT_EQ(cluster.Run({"dbsize"}), ":300\r\n");
  EXPECT_TRUE(cluster.log().empty());
  cluster.session.db = 7;
  EXPECT_EQ(cluster.Run({"dbsize"}), ":0\r\n");
}

TEST(DbSizeTest, WalksWhatNobodyHasCounted) {
  FakeCluster cluster;
  Fill(&cluster, 300);
  for (int i = 0; i < 100; ++i) cluster.uncounted.set(SlotOf("key" + std::to_string(i)));
  EXPECT_EQ(cluster.Run({"dbsize"}), ":300\r\n");
  EXPECT_GE(cluster.log().size(), 90u);
  EXPECT_LE(cluster.log().size(), 110u);
}

TEST(RandomKeyTest, IsNullOnlyIfThereIsNoKey) {
  FakeCluster cluster;
  EXPECT_EQ(cluster.Run({"randomkey"}), "$-1\r\n");
  cluster.session.resp = 3;
  EXPECT_EQ(cluster.Run({"randomkey"}), "_\r\n");
  cluster.in_doubt = true;
  cluster.Run({"set", "only", "v"});
  EXPECT_EQ(cluster.Run({"randomkey"}), "$4\r\nonly\r\n");
}

TEST(RandomKeyTest, PassesOverExpiredKeys) {
  FakeCluster cluster;
  for (int i = 0; i < 20; ++i) cluster.Run({"set", "{t}" + std::to_string(i), "v", "PX", "10"});
  cluster.Advance(20);
  EXPECT_EQ(cluster.Run({"randomkey"}), "$-1\r\n");
  cluster.Run({"set", "{t}7", "v"});
  EXPECT_EQ(cluster.Run({"randomkey"}), "$4\r\n{t}7\r\n");
}

TEST(RandomKeyTest, ShowsEveryKeyInTheLongRun) {
  FakeCluster cluster;
  Fill(&cluster, 20);
  std::map<std::string, int> seen;
  for (int i = 0; i < 1000; ++i) ++seen[cluster.Run({"randomkey"})];
  EXPECT_EQ(seen.size(), 20u);
}

TEST(FlushTest, FlushDbLeavesOtherDatabases) {
  FakeCluster cluster;
  Fill(&cluster, 400);
  cluster.session.db = 1;
  Fill(&cluster, 50);
  EXPECT_EQ(cluster.Run({"flushdb"}), "+OK\r\n");
  EXPECT_EQ(cluster.Run({"dbsize"}), ":0\r\n");
  EXPECT_EQ(cluster.Run({"keys", "*"}), "*0\r\n");
  cluster.session.db = 0;
  EXPECT_EQ(cluster.Run({"dbsize"}), ":400\r\n");
  EXPECT_EQ(cluster.Run({"flushdb", "ASYNC"}), "+OK\r\n");
  EXPECT_EQ(cluster.Run({"dbsize"}), ":0\r\n");
}

TEST(FlushTest, FlushAllTakesEveryDatabase) {
  FakeCluster cluster;
  Fill(&cluster, 100);
  cluster.session.db = 15;
  Fill(&cluster, 100);
  EXPECT_EQ(cluster.Run({"FLUSHALL", "sync"}), "+OK\r\n");
  EXPECT_EQ(cluster.Run({"dbsize"}), ":0\r\n");
  cluster.session.db = 0;
  EXPECT_EQ(cluster.Run({"dbsize"}), ":0\r\n");
  EXPECT_LE(cluster.under_way_max(), 256u);
}

TEST(FlushTest, VisitsEverySlotInDoubt) {
  FakeCluster cluster;
  Fill(&cluster, 10);
  cluster.in_doubt = true;
  EXPECT_EQ(cluster.Run({"flushall"}), "+OK\r\n");
  EXPECT_EQ(cluster.log().size(), kSlotCount);
  EXPECT_LE(cluster.under_way_max(), 256u);
}

TEST(FlushTest, FailureIsReported) {
  FakeCluster cluster;
  Fill(&cluster, 10);
  cluster.Fail(SlotOf("key3"), Response{Outcome::kNoReplicas, ""});
  EXPECT_TRUE(cluster.Run({"flushall"}).starts_with("-NOREPLICAS"));
  cluster.Fail(SlotOf("key3"), std::nullopt);
  EXPECT_EQ(cluster.Run({"exists", "key3"}), ":1\r\n");
}

TEST(FlushTest, RefusesOtherModes) {
  FakeCluster cluster;
  EXPECT_EQ(cluster.Run({"flushall", "now"}), "-ERR syntax error\r\n");
  EXPECT_EQ(cluster.Run({"flushdb", "async", "sync"}), "-ERR syntax error\r\n");
}

TEST(SlotKeysTest, CountsAndListsKeysOfASlot) {
  FakeCluster cluster;
  for (int i = 0; i < 30; ++i) cluster.Run({"set", "{t}" + std::to_string(i), "v"});
  const std::string slot = std::to_string(SlotOf("t"));
  EXPECT_EQ(cluster.Run({"cluster", "countkeysinslot", slot}), ":30\r\n");
  EXPECT_EQ(SetOf(cluster.Run({"cluster", "getkeysinslot", slot, "7"})).size(), 7u);
  EXPECT_EQ(SetOf(cluster.Run({"cluster", "getkeysinslot", slot, "100"})).size(), 30u);
  EXPECT_EQ(cluster.Run({"cluster", "getkeysinslot", slot, "0"}), "*0\r\n");
  EXPECT_EQ(cluster.Run({"cluster", "countkeysinslot", "16384"}), "-ERR Invalid slot\r\n");
  EXPECT_EQ(cluster.Run({"cluster", "countkeysinslot", "x"}),
            "-ERR value is not an integer or out of range\r\n");
  EXPECT_EQ(cluster.Run({"cluster", "getkeysinslot", slot, "-1"}), "-ERR Invalid slot or number of keys\r\n");
}

}  // namespace
}  // namespace orrery::commands
